package vacancy

import (
	"strconv"
	"strings"
)

// ValidReference reports whether s has the shape of a URL reference on NHS
// Jobs: an account (a letter and four digits), a hyphen, and letters, digits
// and hyphens. 97 in 100 look like C9259-26-0123; U0080-2026-20442-2 and
// C9835-HC26-001 are real as well, so nothing after the account is parsed.
func ValidReference(s string) bool {
	if len(s) < 7 || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' || s[5] != '-' {
		return false
	}
	for _, c := range s[1:5] {
		if c < '0' || c > '9' {
			return false
		}
	}
	for _, c := range s[6:] {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// Account is the employer's account: the first five characters of a
// reference, the same however the employer's name is spelt. It is "" for a
// reference of another shape.
func (v *Vacancy) Account() string {
	if !ValidReference(v.Reference) {
		return ""
	}
	return v.Reference[:5]
}

// SplitRun divides an employer's reference into its stem and the letter of
// its run: "259-7758849SBH-A" is ("259-7758849SBH", 'A'). A reference without
// such a letter is its own stem with run 0.
func SplitRun(ref string) (stem string, run byte) {
	if n := len(ref); n > 2 && ref[n-2] == '-' && ref[n-1] >= 'A' && ref[n-1] <= 'Z' {
		return ref[:n-2], ref[n-1]
	}
	return ref, 0
}

// SameListing reports whether two adverts are one vacancy listed twice: one
// account and one employer's reference, letter included.
func SameListing(a, b *Vacancy) bool {
	return a.EmployerReference != "" && a.EmployerReference == b.EmployerReference &&
		a.Account() != "" && a.Account() == b.Account() && a.Reference != b.Reference
}

// Readvertises reports whether later is a new run of earlier: the same
// account with the same employer's reference or a later letter of it.
func Readvertises(later, earlier *Vacancy) bool {
	if later.Account() == "" || later.Account() != earlier.Account() || later.Reference == earlier.Reference ||
		later.EmployerReference == "" || earlier.EmployerReference == "" {
		return false
	}
	ls, lr := SplitRun(later.EmployerReference)
	es, er := SplitRun(earlier.EmployerReference)
	return strings.EqualFold(ls, es) && lr >= er
}

// Adjacent reports whether two references were given close after each other:
// they differ in their last number alone, by one to ten.
func Adjacent(a, b string) bool {
	pa, na, ta, oka := lastNumber(a)
	pb, nb, tb, okb := lastNumber(b)
	d := na - nb
	return oka && okb && pa == pb && ta == tb && (d >= 1 && d <= 10 || d <= -1 && d >= -10)
}

// lastNumber divides a reference into what stands before its last number, the
// number, and a letter or two behind it: "C9165-26-05-052a" ends in 52 and a.
func lastNumber(ref string) (before string, n int, behind string, ok bool) {
	head := strings.TrimRightFunc(ref, func(r rune) bool { return r < '0' || r > '9' })
	before = strings.TrimRightFunc(head, func(r rune) bool { return r >= '0' && r <= '9' })
	n, err := strconv.Atoi(head[len(before):])
	return before, n, ref[len(head):], err == nil
}

package world

import (
	"fmt"
	"strings"
	"time"
)

// Make returns the advert that the seed gives, posted at the given time. Its
// closing date is days after the day of posting.
func (w *World) Make(seed uint64, posted time.Time, days int) *Advert {
	d := NewDice(w.seed, seed, Hash("advert"))
	e := w.pick(d)
	at := d.Intn(len(e.Sites))
	r := e.role(d)
	a := &Advert{
		Employer: e.Name, Account: e.Account, Website: e.Website,
		StaffGroup: r.group, Grade: r.grade,
		Sites: e.Sites[at : at+1 : at+1], Seat: e.Sites[0],
		Posted: posted, Closing: DayOf(posted).Add(days),
		DBS:          r.group != admin || d.Chance(.4),
		Sponsorship:  d.Chance(.55),
		Registration: r.reg,
		HeadingsOnly: e.HeadingsOnly,
		Area:         d.Chance(.01),
		TextSeed:     d.Uint64() | 1,
	}
	if len(r.spec) > 0 {
		a.Specialty = Pick(d, r.spec)
	}
	w.pay(d, a, e, r, e.towns[at])
	name := e.contract(d, a, r)
	a.Title = title(d, a, r, name)
	if d.Chance(.05) && len(e.Sites) > 1 {
		a.Sites = e.severalSites(d)
	}
	if e.Trac {
		a.Printed = printed(d, e)
	}
	if d.Chance(.9) {
		a.Contact = contact(d, e.domain)
		a.ContactInSummary = d.Chance(.15)
	}
	return a
}

// pick returns an employer, the large ones more often.
func (w *World) pick(d *Dice) *Employer {
	n := d.Intn(w.weights[len(w.weights)-1])
	low, high := 0, len(w.weights)-1
	for low < high {
		if mid := (low + high) / 2; w.weights[mid] > n {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return w.employers[low]
}

// role returns one of the kind's roles by weight.
func (e *Employer) role(d *Dice) *role {
	roles := trustRoles
	switch e.kind {
	case surgery:
		roles = surgeryRoles
	case charity:
		roles = charityRoles
	case private:
		roles = privateRoles
	}
	for {
		sum := 0
		for i := range roles {
			sum += roles[i].weight
		}
		n := d.Intn(sum)
		for i := range roles {
			if n -= roles[i].weight; n < 0 {
				if e.allows(&roles[i]) {
					return &roles[i]
				}
				break
			}
		}
	}
}

// allows keeps Welsh boards to posts whose Welsh pay is known, and companies
// and national bodies to what they do.
func (e *Employer) allows(r *role) bool {
	switch e.kind {
	case board:
		for _, b := range r.bands {
			if _, ok := wales2026[b]; !ok {
				return false
			}
		}
	case national:
		return r.group == admin || r.group == estates
	}
	return true
}

// pay sets scheme, band or grade, and salary.
func (w *World) pay(d *Dice, a *Advert, e *Employer, r *role, town Town) {
	a.PayScheme = OtherScheme
	switch {
	case r.grade == "VERY_SENIOR_MANAGER":
		a.PayScheme = VerySenior
		a.Salary = Salary{Text: "Depends on experience"}
		if d.Chance(.5) {
			low := float64(d.Between(130, 180) * 1000)
			a.Salary = Salary{Min: low, Max: low + 20000, Unit: "year", Text: "per annum"}
		}
	case r.grade != "" && e.kind != surgery && e.kind != private:
		a.PayScheme = MedicalStaff
		pay := doctorPay(r.grade, a.Posted)
		a.Salary = Salary{pay.min, pay.max, "year", "per annum pro rata"}
	case len(r.bands) > 0:
		a.PayScheme = AgendaForChange
		a.Band = Pick(d, r.bands)
		pay := bandPay(a.Band, town, a.Posted)
		a.Salary = Salary{pay.min, pay.max, "year", ""}
		if d.Chance(.5) {
			a.Salary.Text = Pick(d, []string{"per annum", "per annum pro rata", "per annum, pro rata for part time", "pa inclusive of HCAS where payable"})
		}
		if last := r.bands[len(r.bands)-1]; last != a.Band && d.Chance(.02) {
			a.Salary.Max = bandPay(last, town, a.Posted).max // A development post: the range spans two bands.
		}
	default:
		a.Salary = localPay(d, r)
	}
}

// localPay is pay outside the national schemes, in all the forms met.
func localPay(d *Dice, r *role) Salary {
	hour := map[string]int{medical: 48, nursing: 18, allied: 19, science: 20, admin: 13, clinical: 12, estates: 12}[r.group]
	low := float64(hour) + float64(d.Intn(4))
	switch n := d.Intn(100); {
	case n < 18:
		return Salary{Text: "Depends on experience"}
	case n < 23:
		return Salary{Text: "Negotiable"}
	case n < 45:
		return Salary{low, low + float64(d.Intn(4)), "hour", "depending on experience"}
	case n < 50 && r.group == medical:
		session := float64(d.Between(110, 130) * 100)
		return Salary{session, session, "session", ""}
	case n < 52:
		month := float64(int(low*162.5/50) * 50)
		return Salary{month, month, "month", ""}
	case n < 54 && r.group == medical:
		return Salary{low * 8, low*8 + 60, "day", ""}
	}
	year := float64(int(low*1950/500) * 500)
	if d.Chance(.3) {
		year += float64(d.Intn(100000)) / 100 // Pay to the penny occurs.
	}
	if d.Chance(.3) {
		return Salary{year, year, "year", ""}
	}
	return Salary{year, year + float64(d.Between(2, 8)*1000), "year", "pro rata"}
}

// contract sets contract, duration and patterns, and returns the role's name.
func (e *Employer) contract(d *Dice, a *Advert, r *role) string {
	name := Pick(d, r.names)
	months := func() string { return fmt.Sprintf("%d months", Pick(d, []int{3, 6, 9, 12, 12, 18, 24})) }
	switch n := d.Intn(100); {
	case strings.Contains(name, "Locum"):
		a.Contract, a.Duration = "Locum", months()
	case r.grade == "SPECIALTY_REGISTRAR" || r.grade == "DOCTOR_OTHER" && e.kind == trust:
		a.Contract, a.Duration = "Fixed-Term", months()
	case n < 76:
		a.Contract = "Permanent"
	case n < 92:
		a.Contract, a.Duration = "Fixed-Term", months()
	case n < 96:
		a.Contract = "Bank"
	case n < 98:
		a.Contract, a.Duration = "Secondment", months()
	case n < 99:
		a.Contract, a.Duration = "Training", months()
	default:
		a.Contract = Pick(d, []string{"Apprenticeship", "Voluntary", "Honorary"})
		a.Duration = months()
	}
	switch n := d.Intn(10); {
	case n < 5:
		a.Patterns = []string{"full-time"}
	case n < 7:
		a.Patterns = []string{"part-time"}
	case n < 8:
		a.Patterns = []string{"full-time", "part-time"}
	default:
		a.Patterns = []string{"full-time", "part-time", "flexible-working"}
		if d.Chance(.2) {
			a.Patterns = append(a.Patterns, Pick(d, []string{"job-share", "compressed-hours", "annualised-hours", "term-time-hours"}))
		}
	}
	if r.desk && d.Chance(.4) {
		a.Patterns = append(a.Patterns[:len(a.Patterns):len(a.Patterns)], "remote-working")
	}
	return name
}

// title writes a title as employers do: with or without the specialty, the
// band in one of its spellings, a note, capitals, a space left at the end.
func title(d *Dice, a *Advert, r *role, name string) string {
	t := name
	if s := bySpecialty()[a.Specialty]; s != nil {
		spec := Pick(d, s.names)
		switch n := d.Intn(10); {
		case r.grade != "" && n < 9:
			t = name + " in " + spec
		case n < 4:
			t = name + " - " + spec
		case n < 6:
			t = spec + " " + name
		case n < 7:
			t = name + " (" + spec + ")"
		case n < 8:
			t = name + ", " + spec
		} // Otherwise only the text tells.
	}
	if a.Band != "" {
		switch n := d.Intn(12); {
		case n < 2:
			t += " - Band " + a.Band
		case n < 3:
			t += " Band " + a.Band
		case n < 4:
			t += " - B" + a.Band
		case n < 5:
			t = "Band " + a.Band + " " + t
		}
	}
	switch n := d.Intn(120); {
	case a.Contract == "Bank":
		t = "Bank " + t
	case n < 2:
		t += " (Internal Applicants Only)"
	case n < 3:
		t += " - International Recruitment"
	case n < 6:
		t = strings.ToUpper(t)
	case n < 10:
		t += " "
	}
	return t
}

// severalSites returns two to ten places of one advert, each once.
func (e *Employer) severalSites(d *Dice) []Place {
	n := min(d.Between(2, 10), len(e.Sites))
	start := d.Intn(len(e.Sites))
	var places []Place
	for i := range n {
		places = append(places, e.Sites[(start+i)%len(e.Sites)])
	}
	return places
}

// printed returns a number as the employer's own system gives it. It begins
// with the last three characters of the account.
func printed(d *Dice, e *Employer) string {
	prefix := e.Account[len(e.Account)-3:]
	switch Hash(e.Account) % 3 {
	case 0:
		return fmt.Sprintf("%s-%s-26-V%d", prefix, Pick(d, []string{"RM", "NM", "AC", "MD"}), d.Between(100, 99999))
	case 1:
		n := fmt.Sprintf("%s-%d%s", prefix, d.Between(6000000, 9999999), Pick(d, []string{"SBH", "GEN", "COM", "HQ"}))
		if d.Chance(.5) {
			n += "-A"
		}
		return n
	}
	return fmt.Sprintf("%s-%s%d", prefix, Pick(d, []string{"SUR", "MED", "WCH", "CORP"}), d.Between(10000, 99999))
}

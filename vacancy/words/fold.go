package words

import (
	"strings"
	"sync"
	"unicode"
)

// folds stands in for Unicode's NFKC followed by dropping accents, which
// would need a module outside the standard library. It covers what British
// adverts hold: Latin-1, Latin Extended-A, B and Additional (Welsh, Gaelic,
// Polish and Vietnamese names), ligatures and superscripts. Full-width forms
// and mathematical letters are computed in foldRune; combining marks and
// invisible format characters are dropped everywhere. Other scripts keep
// their letters in lower case.
var folds = [...][2]string{
	{"a", "àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặªᵃⱥẚ"},
	{"b", "ḃḅḇƀƃɓ"},
	{"c", "çćĉċčḉƈȼ"},
	{"d", "ďḋḍḏḑḓđðɖɗƌȡ"},
	{"e", "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệɇǝᵉ"},
	{"f", "ḟƒ"},
	{"g", "ĝğġģǧǵḡǥɠ"},
	{"h", "ĥȟḣḥḧḩḫẖħʰ"},
	{"i", "ìíîïĩīĭįǐȉȋḭḯỉịıɨⁱ"},
	{"j", "ĵǰɉȷ"},
	{"k", "ķǩḱḳḵƙĸ"},
	{"l", "ĺļľḷḹḻḽłŀƚȴ"},
	{"m", "ḿṁṃ"},
	{"n", "ñńņňǹṅṇṉṋŋƞȵɲⁿŉ"},
	{"o", "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợøǿɵºᵒ"},
	{"p", "ṕṗƥ"},
	{"q", "ɋ"},
	{"r", "ŕŗřȑȓṙṛṝṟɍʳ"},
	{"s", "śŝşšſșṡṣṥṧṩẛȿˢẜẝ"},
	{"t", "ţťțṫṭṯṱẗŧƭƫʈȶᵗ"},
	{"u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữựʉ"},
	{"v", "ṽṿʋ"},
	{"w", "ŵẁẃẅẇẉẘ"},
	{"x", "ẋẍ"},
	{"y", "ýÿŷȳẏẙỳỵỷỹƴɏỿ"},
	{"z", "źżžẑẓẕƶȥɀ"},
	{"ae", "æǣǽ"},
	{"oe", "œ"},
	{"ss", "ß"},
	{"th", "þ"},
	{"ij", "ĳ"},
	{"dz", "ǆǳ"},
	{"lj", "ǉ"},
	{"nj", "ǌ"},
	{"hv", "ƕ"},
	{"ou", "ȣ"},
	{"db", "ȸ"},
	{"qp", "ȹ"},
	{"ll", "ỻ"},
	{"ff", "ﬀ"},
	{"fi", "ﬁ"},
	{"fl", "ﬂ"},
	{"ffi", "ﬃ"},
	{"ffl", "ﬄ"},
	{"st", "ﬅﬆ"},
	{"0", "⁰₀"}, {"1", "¹₁"}, {"2", "²₂"}, {"3", "³₃"}, {"4", "⁴₄"},
	{"5", "⁵₅"}, {"6", "⁶₆"}, {"7", "⁷₇"}, {"8", "⁸₈"}, {"9", "⁹₉"},
}

var foldTable = sync.OnceValue(func() map[rune]string {
	table := make(map[rune]string, 700)
	for _, f := range folds {
		for _, r := range f[1] {
			table[r] = f[0]
		}
	}
	return table
})

// compatible reports whether r is no letter or digit to Unicode but stands
// for one, such as a superscript.
func compatible(r rune) bool {
	_, ok := foldTable()[r]
	return ok
}

// foldWord lower-cases a word and takes off accents, marks and apostrophes.
func foldWord(s string) string {
	if plain(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		foldRune(&b, r)
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == '\'' || s[i] == '`' {
			return false
		}
	}
	return true
}

func foldRune(b *strings.Builder, r rune) {
	switch {
	case apostrophe(r) || ignorable(r):
		return
	case '！' <= r && r <= '～': // full-width forms of ASCII
		r -= '！' - '!'
	case 0x1D400 <= r && r <= 0x1D6A3: // mathematical alphabets of 52 letters
		r = (r - 0x1D400) % 52
		if r < 26 {
			r += 'a'
		} else {
			r += 'a' - 26
		}
	case 0x1D7CE <= r && r <= 0x1D7FF: // mathematical digits
		r = '0' + (r-0x1D7CE)%10
	}
	r = unicode.ToLower(r)
	if to, ok := foldTable()[r]; ok {
		b.WriteString(to)
		return
	}
	if wordRune(r) {
		b.WriteRune(r)
	}
}

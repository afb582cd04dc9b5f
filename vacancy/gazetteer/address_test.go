package gazetteer

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// addressTests are texts as employers write them, with other names where one
// of theirs would show. What should be read of each is "name|county|postcode",
// and a semicolon between two; a name alone is written without bars.
var addressTests = []struct{ in, want string }{
	// One place, one postcode, whatever stands about it.
	{"Kilburn NW6 4JH", "Kilburn||NW6 4JH"},
	{"Ipswich IP4 5PD (and community sites)", "Ipswich (and community sites)||IP4 5PD"},
	{"Wolverhampton, WV10 0QP, UK", "Wolverhampton||WV10 0QP"},
	{"WV10 0QP, UK", "||WV10 0QP"},
	{"Wolverhampton WV10 0QP United Kingdom", "Wolverhampton||WV10 0QP"},
	{"Wolverhampton, WV10 0QP, England, U.K.", "Wolverhampton||WV10 0QP"},
	{"Norwich NR4 7UY.", "Norwich||NR4 7UY"},
	{"NR4 7UY.", "||NR4 7UY"},
	{"Norwich, Norfolk. NR4 7UY. United Kingdom.", "Norwich, Norfolk.||NR4 7UY"},
	{"Leeds LS9 7TF, West Yorkshire", "Leeds|West Yorkshire|LS9 7TF"},
	{"Leeds, LS9 7TF, West Yorkshire, United Kingdom", "Leeds|West Yorkshire|LS9 7TF"},
	{"Carlisle CA2 7HY Cumbria UK", "Carlisle|Cumbria|CA2 7HY"},
	{"Larkfield Hospital, Mill Road, Maidstone, ME20 6QJ", "Larkfield Hospital, Mill Road, Maidstone||ME20 6QJ"},
	{"Unit 4, 12-14 Mill Road, Maidstone, Kent ME20 6QJ", "Unit 4, 12-14 Mill Road, Maidstone, Kent||ME20 6QJ"},
	{"Level 2, Block B1, Larkfield Hospital, Truro TR1 3LJ", "Level 2, Block B1, Larkfield Hospital, Truro||TR1 3LJ"},
	{"Floor M1 2nd, Larkfield House, Truro TR1 3LJ", "Floor M1 2nd, Larkfield House, Truro||TR1 3LJ"},
	{"se1 7eh", "||SE1 7EH"},
	{"se17eh", "||SE1 7EH"},
	{"london se1 7eh", "london||SE1 7EH"},
	{"Torquay TQ27AA", "Torquay||TQ2 7AA"},
	{"Torquay tq27aa, devon", "Torquay|devon|TQ2 7AA"},
	{"Torquay   TQ2    7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2\u00a07AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2\u200b 7AA\u200b", "Torquay||TQ2 7AA"},
	{"Torquay TQ2\t7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2-7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2, 7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2.7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2 7 AA", "Torquay||TQ2 7AA"},
	{"Torquay (TQ2 7AA)", "Torquay||TQ2 7AA"},
	{"Torquay [TQ2 7AA]", "Torquay||TQ2 7AA"},
	{"Torquay – TQ2 7AA – Larkfield House", "Torquay, Larkfield House||TQ2 7AA"},
	{"Torquay, Postcode: TQ2 7AA", "Torquay||TQ2 7AA"},
	{"Torquay (post code TQ2 7AA)", "Torquay||TQ2 7AA"},
	{"TQ2 7AA Torquay", "Torquay||TQ2 7AA"},
	{"TQ2 7AA, Torquay, Devon", "Torquay, Devon||TQ2 7AA"},
	{"TorquayTQ2 7AA", "Torquay||TQ2 7AA"},
	{"Torquay TQ2 7AAUnited Kingdom", "Torquay TQ2 7AAUnited Kingdom"}, // a letter stands behind
	{"St. Jude's Hospital EC1A 7BE", "St. Jude's Hospital||EC1A 7BE"},
	{"B5 4TD", "||B5 4TD"},
	{"Ward B5, Birmingham B15 2TH", "Ward B5, Birmingham||B15 2TH"},
	{"B15 2TH (Ward B5)", "Ward B5||B15 2TH"},
	{"London W1A 0AX", "London||W1A 0AX"},
	{"London N1C 4AA", "London||N1C 4AA"},
	{"London, SE1P 5LX", "London||SE1P 5LX"},
	{"PO Box 12, Leeds LS1 1AA", "PO Box 12, Leeds||LS1 1AA"},
	{"The area below is where the role is located: ST13 7AA", "||ST13 7AA"},
	{"The area below is where the role is located:  Leek ST13 7AA, UK", "Leek||ST13 7AA"},
	{"Pen-y-bont ar Ogwr CF31 1RQ", "Pen-y-bont ar Ogwr||CF31 1RQ"},
	{"Ysbyty Bryn Glas, Caerdydd CF14 4XW, Cymru", "Ysbyty Bryn Glas, Caerdydd||CF14 4XW"},
	{"Ynys Môn LL77 7AB", "Ynys Môn||LL77 7AB"},
	{"Ysbyty Ŵyn LL77 7AB", "Ysbyty Ŵyn||LL77 7AB"},
	{"Newport, South Wales NP20 2UB", "Newport, South Wales||NP20 2UB"},
	{"Newport NP20 2UB, South Wales", "Newport, South Wales||NP20 2UB"},
	{"Belfast BT9 7AB", "Belfast||BT9 7AB"},
	{"St Helier, JE2 3QA", "St Helier||JE2 3QA"},
	{"Remote LS1 3EX", "Remote||LS1 3EX"},
	{"Across Wales CF14 4XW", "Across Wales||CF14 4XW"},
	{"TBC SA31 3BT", "TBC||SA31 3BT"},
	{"Swansea or Cwmbran NP44 7HF", "Swansea or Cwmbran||NP44 7HF"},
	{"Cwmbran NP44 7HF or Swansea", "Cwmbran or Swansea||NP44 7HF"},
	{"Cardiff CF15 7QZ / home", "Cardiff / home||CF15 7QZ"},
	{"London NW1 OAA", "London||NW1 0AA"}, // only a digit can stand there
	{"Camden NW1OAA, London", "Camden|London|NW1 0AA"},

	// Several.
	{"Derby DE22 3NE and Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE & Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE, Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE; Burton DE13 0RB; Leek ST13 7AA", "Derby||DE22 3NE;Burton||DE13 0RB;Leek||ST13 7AA"},
	{"Derby DE22 3NE | Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"• Derby DE22 3NE • Burton DE13 0RB", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby (DE22 3NE) and Burton (DE13 0RB)", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE (Larkfield) or Burton DE13 0RB (Anchor), UK", "Derby (Larkfield)||DE22 3NE;Burton (Anchor)||DE13 0RB"},
	{"Derby DE22 3NE, UK, Burton DE13 0RB, UK", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"Derby DE22 3NE, Derbyshire; Burton DE13 0RB, Staffordshire", "Derby|Derbyshire|DE22 3NE;Burton|Staffordshire|DE13 0RB"},
	{"DE22 3NE Derby, DE13 0RB Burton", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"DE22 3NE Derby; DE13 0RB Burton", "Derby||DE22 3NE;Burton||DE13 0RB"},
	{"EC1A 7BE / E1 1BB", "||EC1A 7BE;||E1 1BB"},
	{"EC1A 7BE/E1 1BB", "||EC1A 7BE;||E1 1BB"},
	{"EC1A7BE,E11BB", "||EC1A 7BE;||E1 1BB"},
	{"ec1a 7be or e1 1bb", "||EC1A 7BE;||E1 1BB"},
	{"London EC1A 7BE / E1 1BB", "London||EC1A 7BE;||E1 1BB"},
	{"Leeds LS9 7TF and Leeds LS9 7TF", "Leeds||LS9 7TF"},
	{"LS9 7TF - Leeds LS9 7TF", "Leeds||LS9 7TF"},

	// None.
	{"Worthing", "Worthing"},
	{"TBC", "TBC"},
	{"TBC - SW London", "TBC - SW London"},
	{"Various locations", "Various locations"},
	{"Various sites across Devon", "Various sites across Devon"},
	{"Home based", "Home based"},
	{"Nationwide", "Nationwide"},
	{"UK", "UK"},
	{"BFPO 61", "BFPO 61"},
	{"BFPO 61, BF1 2AB", "BFPO 61, BF1 2AB"},
	{"PO Box 1234", "PO Box 1234"},
	{"London SE1", "London SE1"}, // the first half alone; its point is found all the same
	{"Ward B5", "Ward B5"},
	{"Ward E1 4hr cover", "Ward E1 4hr cover"},
	{"Block M1 1ST FLOOR", "Block M1 1ST FLOOR"},
	{"Block M1, 1 ST JUDE", "Block M1, 1 ST JUDE"},
	{"WARD E1 OLD WING", "WARD E1 OLD WING"},
	{"WARD E1 OPD", "WARD E1 OPD"},
	{"Clinic E1 Out", "Clinic E1 Out"},
	{"Unit B1 (2AB)", "Unit B1 (2AB)"},
	{"Rooms B1/2AB", "Rooms B1/2AB"},
	{"Ward B1 - 2AB", "Ward B1 - 2AB"},
	{"Guildford GU1 OAA", "Guildford GU1 OAA"}, // there is no sector GU1 0
	{"London NW1 OAA building", "London NW1 OAA building"},
	{"london nw1 oaa", "london nw1 oaa"},
	{"Grade AFC5 2AB", "Grade AFC5 2AB"},
	{"Ref C9259-26-0123", "Ref C9259-26-0123"},
	{"Tel 01632 960 123", "Tel 01632 960 123"},
	{"GU1 0AAX", "GU1 0AAX"},
	{"ÉLS9 7TF", "ÉLS9 7TF"},
	{"", ""},
	{" , ", ""},
}

func written(list []Address) string {
	var out []string
	for _, a := range list {
		if a.County == "" && a.Postcode == "" {
			out = append(out, a.Name)
			continue
		}
		out = append(out, a.Name+"|"+a.County+"|"+a.Postcode)
	}
	return strings.Join(out, ";")
}

func TestAddresses(t *testing.T) {
	for _, tt := range addressTests {
		if got := written(Addresses(tt.in)); got != tt.want {
			t.Errorf("Addresses(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

// A text of any length takes time in its length: pages are read while a
// crawl waits.
func TestAddressesInTime(t *testing.T) {
	for _, part := range []string{"uk ", "England, ", "(", ") ", "and ", "area ", "postcode ", "LS9 7TF (", "a, ", "[uk; "} {
		long := strings.Repeat(part, 100_000/len(part))
		began := time.Now()
		Addresses("LS9 7TF " + long)
		SplitPostcode("LS9 7TF " + long)
		if took := time.Since(began); took > 2*time.Second { // some 50 ms on two slow cores
			t.Errorf("%d bytes of %q took %v", len(long), part, took)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	for _, tt := range addressTests {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var codes []string
		for _, a := range Addresses(s) {
			if a == (Address{}) {
				t.Fatalf("Addresses(%q) has one without anything", s)
			}
			if a.Postcode == "" {
				continue
			}
			if slices.Contains(codes, a.Postcode) {
				t.Fatalf("Addresses(%q) gives %s twice", s, a.Postcode)
			}
			codes = append(codes, a.Postcode)
			if _, ok := NormalisePostcode(a.Postcode); !ok && len(a.Postcode) > 4 {
				t.Fatalf("Addresses(%q) gives %q for a postcode", s, a.Postcode)
			}
			if again := Addresses("Leeds " + a.Postcode); strings.Contains(a.Postcode, " ") && written(again) != "Leeds||"+a.Postcode {
				t.Fatalf("%s of Addresses(%q) is read as %+v behind a town", a.Postcode, s, again)
			}
		}
		// A postcode more at the end is always found.
		more := Addresses(s + "; Leeds LS9 7TF")
		if !slices.ContainsFunc(more, func(a Address) bool { return a.Postcode == "LS9 7TF" }) {
			t.Fatalf("Addresses(%q) misses LS9 7TF: %+v", s+"; Leeds LS9 7TF", more)
		}
	})
}

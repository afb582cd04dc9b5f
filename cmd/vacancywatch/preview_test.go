package main

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/vacancywatch/vacancywatch/config"
	"github.com/vacancywatch/vacancywatch/vacancy"
	"github.com/vacancywatch/vacancywatch/vacancy/gazetteer"
	"github.com/vacancywatch/vacancywatch/web/preview"
)

// What the page offers for the configuration file, the configuration reads as
// the search that was tried.
func TestPreviewYAML(t *testing.T) {
	file := filepath.Join(t.TempDir(), "searches.yaml")
	check := func(t rapid.TB, q url.Values) {
		want, faults := preview.ReadForm(q).Search(gazetteer.Default())
		if len(faults) > 0 {
			t.Fatalf("%s: %v", q.Encode(), faults)
		}
		text, ok := preview.YAML(&want)
		if !ok {
			t.Fatalf("%s: there is no YAML", q.Encode())
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := config.LoadSearches(file, gazetteer.Default())
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		want.Provisioned = true
		if diff := cmp.Diff([]vacancy.Search{want}, got, cmpopts.IgnoreUnexported(vacancy.Search{}), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", text, diff)
		}
	}
	nasty := []string{"yes", "null", "~", "12", "0x1F", "1e3", "# no", "a: b", "- a", "{a}", "[b]", "O'Neil", `The "Ward"`, `back\slash`, "%41", "Æsk — Trust", "<b>", "a #b",
		"2026-11-25", "&anchor", "*alias", "!tag", "|", "> x", "@at", "`tick`", "emoji 🚑", "a\u2028b", "n", "Off", "12:30", "trailing:", "a  b", "=", "<<", "A'B\"C"}
	for _, name := range nasty {
		check(t, url.Values{"employers": {name + "\nKyd"}, "not_employers": {"x" + name}, "near": {"Leeds"}, "keywords": {`nurse "a&e: x" #1`}})
	}
	rapid.Check(t, func(t *rapid.T) {
		q := url.Values{}
		some := func(field string, of []string) {
			if rapid.Bool().Draw(t, "any "+field) {
				q[field] = rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, 3, rapid.ID).Draw(t, field)
			}
		}
		number := func(field string, most int) {
			if rapid.IntRange(0, 3).Draw(t, "any "+field) == 0 {
				q.Set(field, strconv.Itoa(rapid.IntRange(1, most).Draw(t, field)))
			}
		}
		for row := range preview.MaxPlaces {
			if rapid.IntRange(0, 4).Draw(t, "row") == 0 {
				q.Set(preview.Near(row+1), rapid.SampledFrom([]string{"Leeds", "E1 6AN", "ls1", "Kent", "Wales", "England", "Newport, Wales", "Midlands", "remote"}).Draw(t, "near"))
				number(preview.Miles(row+1), 100)
			}
		}
		some(preview.FieldBand, []string{"2", "5", "8a", "9", "vsm", "consultant", "unstated"})
		some(preview.FieldSpecialty, []string{"cancer", "oncology", "pharmacy", "mental-health", "ent"})
		some(preview.FieldStaffGroup, []string{"01", "08", "10"})
		some(preview.FieldContract, vacancy.Contracts())
		some(preview.FieldPattern, vacancy.WorkingPatterns())
		for _, field := range []string{preview.FieldRemote, preview.FieldStatedOnly, preview.FieldSponsorship, preview.FieldInternal} {
			if rapid.Bool().Draw(t, field) {
				q.Set(field, "1")
			}
		}
		number(preview.FieldMinMonths, 120)
		number(preview.FieldMinSalary, 1_000_000)
		number(preview.FieldDaysLeft, 365)
		for _, c := range preview.Turnable() {
			if rapid.IntRange(0, 3).Draw(t, c.Name) == 0 {
				q.Add(map[bool]string{true: preview.FieldStated, false: preview.FieldUnstated}[c.UnstatedPasses], c.Name)
			}
		}
		if q.Get(preview.FieldBand)+q.Get(preview.FieldContract) == "" {
			q.Set(preview.FieldKeywords, "nurse") // something that narrows
		}
		check(t, q)
	})
}

package scotland

import (
	"strings"
	"testing"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// TestRedact holds one text for each way in which boards write a contact. The
// people are made up, the numbers are kept for drama.
func TestRedact(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "You will join a team of nine.\nLists run on six days.", "You will join a team of nine.\nLists run on six days."},
		{"number", "The ward is new. Please call Isla Kilmarrow on 01632 960 123. Shifts vary.", "The ward is new. Shifts vary."},
		{"country code", "Call +44 (0)1632 960123.\nShifts vary.", "Shifts vary."},
		{"address", "Write to isla.kilmarrow@glenmarl.example for more.\nShifts vary.", "Shifts vary."},
		{"address without a sign", "Write to isla.kilmarrow (at) glenmarl.example.\nShifts vary.", "Shifts vary."},
		{"extension", "The number is ext 4567.\nShifts vary.", "Shifts vary."},
		{"name alone", "For an informal discussion contact Isla Kilmarrow, Charge Nurse.\nShifts vary.", "Shifts vary."},
		{"name behind an office", "Informal enquiries to Senior Charge Nurse Isla Kilmarrow.\nShifts vary.", "Shifts vary."},
		{"title", "Our lead is Dr I. Kilmarrow. Shifts vary.", "Shifts vary."},
		{"name on a line of its own", "Isla Kilmarrow\nCharge Nurse\n01632 960123\nShifts vary.", "Charge Nurse\nShifts vary."},
		{"name elsewhere", "Isla Kilmarrow leads the ward.\nShifts vary.\nContact: Isla Kilmarrow", "leads the ward.\nShifts vary."},
		{"number over a line's end", "Ring 01632\n960123 at once.\nShifts vary.", "Shifts vary."},
		{"pay and hours", "Pay is £33,247 to £41,424 for 37 hours, from 01/10/2026 09:00.", "Pay is £33,247 to £41,424 for 37 hours, from 01/10/2026 09:00."},
		{"contact with patients", "You will have daily contact with Mental Health patients.", "You will have daily contact with Mental Health patients."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := redact(tt.text, namesIn(tt.text))
			got = strings.TrimSpace(got)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for text, want := range map[string]string{
		"Staff Nurse, call 01632 960123": "Staff Nurse, call", "Porter (porter@glenmarl.example)": "Porter ( )", "Band 5 (£33,247)": "Band 5 (£33,247)",
		"0163 a@b.example 2960123": "",
	} {
		if got := strike(text); got != want {
			t.Errorf("strike(%q) = %q, want %q", text, got, want)
		}
	}
}

// contactsLeft fails the test if a field of a vacancy holds an address or a
// number.
func contactsLeft(t *testing.T, v vacancy.Vacancy) {
	t.Helper()
	all := []string{v.Title, v.Employer, v.EmployerReference, v.Contract, v.Salary.String(), v.Text.Summary, v.Text.Duties, v.Text.Description, v.Text.Requirements}
	for _, l := range v.Locations {
		all = append(all, l.Site, l.Town, l.County)
	}
	for _, s := range all {
		if contactIn(s) {
			t.Fatalf("a contact is left in %q", s)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("Call Isla Kilmarrow on 01632 960123.\nShifts vary.")
	f.Add("a@b\n0 1\n2345678 9")
	f.Fuzz(func(t *testing.T, text string) {
		got := redact(text, namesIn(text))
		if contactIn(got) {
			t.Fatalf("a contact is left in %q", got)
		}
		if again := redact(got, nil); again != got {
			t.Fatalf("redacted twice: %q, then %q", got, again)
		}
	})
}

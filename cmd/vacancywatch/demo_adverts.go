package main

import (
	"fmt"
	"net"
	"time"

	"github.com/vacancywatch/vacancywatch/crawler/simulator/world"
)

// demoConfig is the configuration of the demo: the same file as a daemon's.
func demoConfig(base, box, smtpAddr, public, admin string) string {
	_, smtpPort, _ := net.SplitHostPort(smtpAddr)
	return fmt.Sprintf(`
data: data
log: {level: error}
listen: {public: %q, admin: %q, public_url: "http://%s"}
sources:
  - site: nhs-jobs
    base: %q
    spacing: 100ms
    poll_min: 3s
    poll_max: 3s
channels:
  - name: mail
    email: {host: 127.0.0.1, port: %s, tls: none, from: "Vacancy alerts <alerts@vacancywatch.example>"}
  - name: ward
    webhook: {url: "%s/hook/ward", secret_file: ward.secret, allow: ["127.0.0.0/8"], allow_http: true}
subscribe: {channel: mail}
searches:
  - id: oncology-office
    name: Oncology office work near Spitalfields
    subscriber: jo
    bands: [4]
    places: [{near: E1 6AN, miles: 10}]
    specialties: [oncology]
    notify:
      - {channel: mail, to: jo@reader.example, daily_cap: 0}
      - {channel: ward}
  - id: leeds-nurse
    name: Nursing around Leeds
    subscriber: sam
    bands: [5, 6]
    staff_groups: ["03"]
    places: [{near: Leeds, miles: 20}]
    notify: [{channel: mail, to: sam@reader.example, daily_cap: 0}]
  - id: secretary-words
    name: Secretaries anywhere, but no bank work
    subscriber: jo
    keywords: secretary NOT bank
    notify: [{channel: mail, to: jo@reader.example, daily_cap: 0}]
`, public, admin, public, base, smtpPort, box)
}

// demoSecretary is the advert that the oncology search waits for.
func demoSecretary(n int, now time.Time) *world.Advert {
	site := world.Place{Name: "St Botolph's Hospital", Town: "London", County: "London", Postcode: "EC1A 7BE"}
	return &world.Advert{
		Title: "Medical Secretary / Patient Pathway Co-ordinator", Employer: "Riverside East Hospitals NHS Trust", Account: "C9994",
		Printed:    fmt.Sprintf("994-66%05dSBH-A", n+1),
		StaffGroup: "ADMINISTRATIVE_AND_CLERICAL", Specialty: "oncology", PayScheme: world.AgendaForChange, Band: "4",
		Salary:   world.Salary{Min: 33094, Max: 36195, Unit: "year", Text: "per annum inc HCAS"},
		Contract: "Fixed-Term", Duration: "18 months", Patterns: []string{"full-time"},
		Sites: []world.Place{site}, Seat: site, Closing: world.DayOf(now.AddDate(0, 0, 14)), Sponsorship: true, DBS: true,
		Summary: []string{
			"We have an opening for a full-time medical secretary to join our Medical Oncology Service for eighteen months.",
			"You will keep the letters, clinics and chemotherapy pathways of a busy breast team in good order.",
		},
		Duties:           []string{"Type and send clinic letters, arrange follow-up appointments, and be the first voice that patients and colleagues hear."},
		About:            []string{"Our trust runs surgery, maternity, cardiology, stroke and mental health services across five sites."},
		Description:      []string{"The trust looks after patients with cancer from all over the region, from radiotherapy to palliative care and bone marrow transplants."},
		Contact:          world.Contact{Role: "Service Manager", Name: "Robin Placeholder", Email: "robin.placeholder@riverside-east.example", Phone: "020 7946 0123"},
		ContactInSummary: n%2 == 1,
	}
}

// demoNurse is one that the nursing search waits for.
func demoNurse(n int, now time.Time) *world.Advert {
	site := world.Place{Name: "Aire Valley Infirmary", Town: "Leeds", County: "West Yorkshire", Postcode: "LS9 7TF"}
	return &world.Advert{
		Title: "Staff Nurse - Emergency Department", Employer: "Aire Valley Teaching Hospitals NHS Trust", Account: "C9995",
		StaffGroup: "NURSING_AND_MIDWIFERY_REGD", Specialty: "emergency-medicine", PayScheme: world.AgendaForChange, Band: "5",
		Salary:   world.Salary{Min: 31049, Max: 37796, Unit: "year", Text: "per annum pro rata"},
		Contract: "Permanent", Patterns: []string{"full-time", "flexible-working"},
		Sites: []world.Place{site}, Seat: site, Closing: world.DayOf(now.AddDate(0, 0, 10+n%5)), DBS: true, Registration: true,
		Summary:     []string{"Our Emergency Department is looking for registered nurses who stay calm when it is busy."},
		Duties:      []string{"Assess and treat patients from the waiting room to resuscitation, with a preceptor beside you for the first six months."},
		About:       []string{"We are one of the largest teaching trusts in the north and provide oncology, renal and neonatal services."},
		Description: []string{"Shifts are published eight weeks ahead."},
		Contact:     world.Contact{Role: "Matron", Name: "Alex Placeholder", Email: "alex.placeholder@aire-valley.example", Phone: "0113 496 0123"},
	}
}

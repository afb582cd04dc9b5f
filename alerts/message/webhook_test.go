package message

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

func TestWebhookBody(t *testing.T) {
	for name, a := range examples() {
		b, err := WebhookBody(a)
		if name == "digest" || name == "sites" || name == "late" {
			if err == nil {
				t.Error("a digest became one webhook")
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(b) >= MaxWebhook {
			t.Errorf("%s: %d bytes, want under %d", name, len(b), MaxWebhook)
		}
		var got struct {
			Type      string
			Timestamp string
			Data      struct {
				Schema, Version           int
				Search                    struct{ ID, Name string }
				Also                      []struct{ ID, Name string }
				Vacancy                   vacancy.Vacancy
				Why                       []vacancy.Outcome
				Changes                   []vacancy.Change
				Related, Relation, Reason string
				RelatedURL                string `json:"related_url"`
				RelatedWhy                string `json:"related_why"`
				Cut                       bool
			}
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := a.Items[0].Event
		if got.Type != "vacancy."+string(e.Kind) || got.Timestamp != "2026-06-24T08:22:00Z" || got.Data.Schema != 1 ||
			got.Data.Version != e.Version || got.Data.Search.ID != "oncology" {
			t.Errorf("%s: envelope %+v", name, got)
		}
		if got.Data.Also == nil || got.Data.Why == nil || got.Data.Changes == nil {
			t.Errorf("%s: a list is null, want [] where it is empty", name)
		}
		if got.Data.Cut != (name == "long") {
			t.Errorf("%s: cut is %v", name, got.Data.Cut)
		}
		if got.Data.Cut {
			continue
		}
		if diff := cmp.Diff(e.Vacancy, got.Data.Vacancy); diff != "" {
			t.Errorf("%s: the vacancy differs (-want +got):\n%s", name, diff)
		}
		if got.Data.Relation != e.Relation || got.Data.RelatedWhy != a.Items[0].RelatedWhy || got.Data.RelatedURL != relatedURL(&e.Vacancy, e.Related) {
			t.Errorf("%s: got %+v, want the relation that the event names", name, got.Data)
		}
		if got.Data.Related != e.Related || got.Data.Reason != e.Reason || len(got.Data.Changes) != len(e.Changes) {
			t.Errorf("%s: got %+v, want what the event says", name, got.Data)
		}
		if strings.ContainsAny(string(b), "<>\r\n\u2028") {
			t.Errorf("%s: the JSON holds a raw markup or line character", name)
		}
	}
}

// A webhook tells of further adverts of the same post, and how they are tied.
func TestWebhookOthers(t *testing.T) {
	a := examples()["sites"]
	a.Items = a.Items[1:]
	var got struct {
		Data struct {
			Others []struct{ Reference, Relation, URL string }
		}
	}
	if err := json.Unmarshal(must(WebhookBody(a)), &got); err != nil {
		t.Fatal(err)
	}
	const advert = "https://www.jobs.nhs.uk/candidate/jobadvert/"
	want := []struct{ Reference, Relation, URL string }{
		{"C9000-26-0126", "sibling", advert + "C9000-26-0126"}, {"C9000-26-0127", "sibling", advert + "C9000-26-0127"},
	}
	if diff := cmp.Diff(want, got.Data.Others); diff != "" {
		t.Errorf("others (-want +got):\n%s", diff)
	}
}

// A body that must be cut leaves the alert as it was.
func TestWebhookBodyKeepsTheAlert(t *testing.T) {
	a, want := examples()["long"], examples()["long"]
	if _, err := WebhookBody(a); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Items[0].Event, a.Items[0].Event); diff != "" {
		t.Errorf("the alert was changed (-want +got):\n%s", diff)
	}
}

// The addresses that a search notifies are personal: they must not travel.
func TestNoAddressInAnyMessage(t *testing.T) {
	const canary = "canary.reader@example.org"
	a := example()
	a.Search.Notify = []vacancy.Notify{{Channel: "mail", To: canary}}
	a.Also[0].Notify = a.Search.Notify
	a.Search.Subscriber = canary
	for name, render := range map[string]func(Alert) ([]byte, error){"HTML": HTML, "text": Text, "webhook": WebhookBody} {
		if strings.Contains(string(must(render(a))), canary) {
			t.Errorf("%s holds the address of the subscriber", name)
		}
	}
	// Prose of the advert is the employer's and stays at home.
	a.Items[0].Event.Vacancy.Text = vacancy.Text{Summary: canary, Duties: canary, Description: canary, Requirements: canary}
	for name, render := range map[string]func(Alert) ([]byte, error){"HTML": HTML, "text": Text, "webhook": WebhookBody} {
		if strings.Contains(string(must(render(a))), canary) {
			t.Errorf("%s holds prose of the advert", name)
		}
	}
}

// FuzzMessage puts any words and address into an alert: every message must be
// made, stay small, be one line where it is a line, and carry no markup.
func FuzzMessage(f *testing.F) {
	f.Add(hostile, "https://www.jobs.nhs.uk/candidate/jobadvert/C9000-26-0123", 3)
	f.Add("", "javascript:alert(1)", 0)
	f.Add(strings.Repeat("é ", 6000), "https://x/?a><b", -400)
	f.Fuzz(func(t *testing.T, words, address string, days int) {
		a := example()
		v := &a.Items[0].Event.Vacancy
		v.Title, v.Employer, v.Contract, v.EmployerReference, v.URL = words, words, words, words, address
		v.Closing = v.Closing.Add(days % 1000)
		a.Items[0].Outcomes[0].Reason, a.Search.Name, a.StopURL = words, words, address
		a.Items[0].Event.Related, a.Items[0].Event.Relation, a.Items[0].RelatedWhy = "C9000-26-0042", vacancy.LinkTwin, words
		if s := Subject(a); runes(s) > MaxSubject || strings.ContainsAny(s, "\r\n\u2028\u2029") {
			t.Errorf("subject %q", s)
		}
		h, text := must(HTML(a)), must(Text(a))
		if p := readPage(t, h); p.tags["script"]+p.tags["img"] > 0 || strings.Contains(string(h), "ZgotmplZ") || len(h) > 20_000 {
			t.Errorf("page of %d bytes with %v", len(h), p.tags)
		}
		if strings.ContainsAny(string(text), "\r\u2028") {
			t.Error("a line break of the advert stands in the text")
		}
		if b := must(WebhookBody(a)); !json.Valid(b) || len(b) >= MaxWebhook {
			t.Errorf("webhook of %d bytes", len(b))
		}
	})
}

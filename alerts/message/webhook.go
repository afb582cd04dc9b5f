package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// MaxWebhook is the size that the body of a webhook stays under, in bytes.
const MaxWebhook = 20_000

// webhookBody is the shape of Standard Webhooks: type, timestamp, data.
// Fields are only ever added; a change of meaning is a new type.
type webhookBody struct {
	Type      string      `json:"type"`
	Timestamp string      `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	Schema int         `json:"schema"`
	Search searchRef   `json:"search"`
	Also   []searchRef `json:"also"`
	// Version counts the versions of the vacancy: no order of arrival is
	// promised, so a receiver keeps the highest.
	Version int    `json:"version"`
	Reason  string `json:"reason,omitempty"`
	// Related is the reference of the vacancy that this one is tied to, by
	// Relation: readvertised, twin or sibling.
	Related    string            `json:"related,omitempty"`
	Relation   string            `json:"relation,omitempty"`
	RelatedURL string            `json:"related_url,omitempty"`
	RelatedWhy string            `json:"related_why,omitempty"`
	Vacancy    vacancy.Vacancy   `json:"vacancy"`
	Why        []vacancy.Outcome `json:"why"`
	Changes    []vacancy.Change  `json:"changes"`
	Others     []otherRef        `json:"others,omitempty"`
	Cut        bool              `json:"cut,omitempty"` // texts or lists were shortened to fit
}

type searchRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// otherRef is a further advert of the same post.
type otherRef struct {
	Reference string `json:"reference"`
	Relation  string `json:"relation,omitempty"`
	URL       string `json:"url,omitempty"`
}

// WebhookBody is the JSON that a webhook carries, under MaxWebhook bytes. A
// webhook tells of one vacancy: an alert with another number of items is an
// error. It holds ids and names of searches, never an address.
func WebhookBody(a Alert) ([]byte, error) {
	if len(a.Items) != 1 || a.More != 0 {
		return nil, fmt.Errorf("write a webhook: it tells of one vacancy, not of %d", len(a.Items)+a.More)
	}
	it := &a.Items[0]
	e := &it.Event
	body := webhookBody{
		Type:      "vacancy." + string(e.Kind),
		Timestamp: a.At.UTC().Format(time.RFC3339),
		Data: webhookData{
			Schema:  vacancy.Schema,
			Search:  searchRef{a.Search.ID, searchTitle(&a.Search)},
			Also:    []searchRef{},
			Version: e.Version,
			Reason:  e.Reason,
			Related: e.Related, Relation: e.Relation, RelatedURL: relatedURL(&e.Vacancy, e.Related), RelatedWhy: it.RelatedWhy,
			Vacancy: e.Vacancy.Clone(),
			Why:     append([]vacancy.Outcome{}, it.Outcomes...),
			Changes: append([]vacancy.Change{}, e.Changes...),
		},
	}
	for i := range a.Also {
		body.Data.Also = append(body.Data.Also, searchRef{a.Also[i].ID, searchTitle(&a.Also[i])})
	}
	for i := range it.Others {
		o := &it.Others[i]
		body.Data.Others = append(body.Data.Others, otherRef{o.Vacancy.Reference, o.Relation, o.Vacancy.URL})
	}
	// An honest advert fits at once. Each further round cuts texts and lists
	// shorter, so that a hostile one is still told.
	for _, limit := range []struct{ text, list int }{{0, 0}, {maxFact, 20}, {100, 8}, {40, 3}} {
		if limit.text > 0 {
			body.Data.shorten(limit.text, limit.list)
		}
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("write a webhook: %w", err)
		}
		if len(b) < MaxWebhook {
			return b, nil
		}
	}
	return nil, errors.New("write a webhook: the vacancy is too large")
}

func (d *webhookData) shorten(text, list int) {
	d.Cut = true
	d.Also = d.Also[:min(len(d.Also), list)]
	d.Why = d.Why[:min(len(d.Why), list)]
	d.Changes = d.Changes[:min(len(d.Changes), list)]
	d.Others = d.Others[:min(len(d.Others), list)]
	v := &d.Vacancy
	v.AlsoBands = v.AlsoBands[:min(len(v.AlsoBands), list)]
	v.WorkingPatterns = v.WorkingPatterns[:min(len(v.WorkingPatterns), list)]
	v.Specialties = v.Specialties[:min(len(v.Specialties), list)]
	v.Locations = v.Locations[:min(len(v.Locations), list)]

	s := []*string{&d.Reason, &d.RelatedWhy, &v.EmployerReference, &v.Title, &v.Employer, &v.PayScheme, &v.Band, &v.Contract, &v.Duration, &v.Sponsorship}
	if v.Salary != nil {
		s = append(s, &v.Salary.Text)
	}
	s = append(s, &d.Search.Name)
	for i := range d.Also {
		s = append(s, &d.Also[i].Name)
	}
	for i := range d.Why {
		s = append(s, &d.Why[i].Reason)
	}
	for i := range d.Changes {
		s = append(s, &d.Changes[i].Before, &d.Changes[i].After)
	}
	for i := range v.AlsoBands {
		s = append(s, &v.AlsoBands[i])
	}
	for i := range v.WorkingPatterns {
		s = append(s, &v.WorkingPatterns[i])
	}
	for i := range v.Specialties {
		s = append(s, &v.Specialties[i].Evidence)
	}
	for i := range v.Locations {
		l := &v.Locations[i]
		s = append(s, &l.Site, &l.Town, &l.County, &l.Postcode)
	}
	for _, p := range s {
		*p = cut(*p, text)
	}
	// An address cut short leads elsewhere; better none.
	if len(v.URL) > 2000 {
		v.URL = ""
	}
	if len(d.RelatedURL) > 500 {
		d.RelatedURL = ""
	}
	for i := range d.Others {
		if len(d.Others[i].URL) > 500 {
			d.Others[i].URL = ""
		}
	}
}

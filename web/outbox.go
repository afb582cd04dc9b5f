package web

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An OutboxOrder is what an operator wants of the outbox.
type OutboxOrder struct {
	Action string // one of OutboxActions
	// IDs are the messages that are meant, by their IDs or by the tokens of
	// their Message-IDs or webhook-ids.
	IDs []string
	// AllBuried means, for a replay, every message that was given up, of the
	// channel and for the reason that are named.
	AllBuried bool
	// State, Channel and Reason choose what is listed; empty ones choose all.
	State, Channel, Reason string
	Limit                  int // of a list; 0 for the usual one
	// IntoDigest leaves what a discarded message was to tell to the next digest.
	IntoDigest bool
}

// What may be done with the outbox.
const (
	OutboxList    = "list"
	OutboxShow    = "show"
	OutboxReplay  = "replay"
	OutboxDiscard = "discard"
)

// OutboxActions returns every action.
func OutboxActions() []string {
	return []string{OutboxList, OutboxShow, OutboxReplay, OutboxDiscard}
}

// An OutboxAnswer is what came of an order.
type OutboxAnswer struct {
	Letters []Letter `json:"letters"`
	// More says that a list had more than its limit.
	More bool `json:"more,omitempty"`
	// Results are those of a replay or discard, one for each message.
	Results []LetterResult `json:"results,omitempty"`
}

// A Letter is a message of the outbox. It names no address and holds none of
// its bytes: where it goes is a channel and a hash.
type Letter struct {
	ID       string    `json:"id"`
	Token    string    `json:"token"` // in its Message-ID or webhook-id
	State    string    `json:"state"`
	At       time.Time `json:"at"` // due, end of the claim, or when it was set aside
	Channel  string    `json:"channel"`
	Dest     string    `json:"dest"`
	Search   string    `json:"search"`
	Also     []string  `json:"also,omitempty"`
	Event    string    `json:"event,omitempty"`  // of an instant alert
	Window   string    `json:"window,omitempty"` // of a digest
	Items    []string  `json:"items,omitempty"`  // events of a digest
	Created  time.Time `json:"created,omitzero"`
	Replayed time.Time `json:"replayed,omitzero"`
	Tries    int       `json:"tries"`
	Doubtful bool      `json:"doubtful,omitempty"` // an attempt may have arrived
	Reason   string    `json:"reason,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Bytes    int       `json:"bytes"` // 0 while it is not rendered
}

// A LetterResult is what came of a replay or discard of one message.
type LetterResult struct {
	ID   string `json:"id"`
	Done bool   `json:"done"`
	Said string `json:"said"`
}

// OutboxHeader is set on every answer to an OutboxOrder, to the action.
const OutboxHeader = "Vacancywatch-Outbox"

// Form returns an order as the fields of a query or form.
func (o *OutboxOrder) Form() url.Values {
	form := url.Values{}
	set := func(key, value string) {
		if value != "" {
			form.Set(key, value)
		}
	}
	set("state", o.State)
	set("channel", o.Channel)
	set("reason", o.Reason)
	if o.Limit > 0 {
		form.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.AllBuried {
		form.Set("all_buried", "true")
	}
	if o.IntoDigest {
		form.Set("into_digest", "true")
	}
	if len(o.IDs) > 0 {
		form["id"] = o.IDs
	}
	return form
}

// readForm is the inverse of Form. What is not known is refused, for a misspelt
// limit would lift it.
func (o *OutboxOrder) readForm(form url.Values) error {
	for key, values := range form {
		v := values[len(values)-1]
		if key != "id" && len(values) > 1 {
			return fmt.Errorf("%q is given twice", key)
		}
		switch key {
		case "id":
			o.IDs = values
		case "state":
			o.State = v
		case "channel":
			o.Channel = v
		case "reason":
			o.Reason = v
		case "limit":
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return errors.New("limit is a number from 1 on")
			}
			o.Limit = n
		case "all_buried", "into_digest":
			yes, err := strconv.ParseBool(v)
			if err != nil {
				return fmt.Errorf("%s is true or false", key)
			}
			if key == "all_buried" {
				o.AllBuried = yes
			} else {
				o.IntoDigest = yes
			}
		default:
			return fmt.Errorf("%q is not known: use id, state, channel, reason, limit, all_buried and into_digest", key)
		}
	}
	return nil
}

// outbox takes an order from the command line of the same machine. No GET
// changes anything.
func (a *admin) outbox(w http.ResponseWriter, r *http.Request) {
	o := OutboxOrder{Action: r.PathValue("action")}
	if !slices.Contains(OutboxActions(), o.Action) {
		text(w, http.StatusNotFound, "There is no such action: use "+strings.Join(OutboxActions(), ", ")+".")
		return
	}
	w.Header().Set(OutboxHeader, o.Action)
	changes := o.Action == OutboxReplay || o.Action == OutboxDiscard
	if post := r.Method == http.MethodPost; post != changes {
		method := http.MethodGet
		if changes {
			method = http.MethodPost
		}
		w.Header().Set("Allow", method)
		text(w, http.StatusMethodNotAllowed, "This action is asked for by "+method+".")
		return
	}
	if refusedToBrowser(w, r, "outbox "+o.Action) {
		return
	}
	if err := o.read(w, r); err != nil {
		unreadable(w, err)
		return
	}
	ctx, cancel := a.takeTime(w, r)
	defer cancel()
	answer, err := a.o.Outbox(ctx, o)
	if err != nil {
		a.notDone(w, err, "action", "outbox "+o.Action)
		return
	}
	writeJSON(w, http.StatusOK, "application/json", answer)
}

// maxOrder bounds an order of many IDs, in bytes.
const maxOrder = 4 << 20

func (o *OutboxOrder) read(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxOrder)
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if kind, _, err := mime.ParseMediaType(kind); err != nil || kind != "application/x-www-form-urlencoded" {
			return errors.New("give a form")
		}
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	return o.readForm(r.Form)
}

// Package bounce takes in what comes back of our mails: refusals, delivery
// reports and complaints. It reads which address they are about out of the
// envelope alone, and has the address counted in a suppression list.
//
// The way of a report:
//
//	Intake   takes a mail only for a recipient that Signer made
//	Read     delivery report or complaint ─▶ what became of our mail
//	Desk     ─▶ List, which stops mail to an address that is dead or complains
//
// Nothing that a report says of addresses is believed: whoever can send us a
// mail can write there what he likes. A report counts for the address whose
// token it was sent to, and a token is made with a secret key (VERP). It is in
// the envelope of every mail that we send, so a reader can speak for himself,
// and for nobody else.
//
// The package keeps no mail, and no log, error or metric that it makes holds
// an address; addresses are named by an ID.
package bounce

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/vacancywatch/vacancywatch/vacancy"
)

// An ID names an address: a keyed hash of it. Without the key nobody can tell
// which address it is, not even by trying all of them.
type ID [16]byte

var idText = base32.StdEncoding.WithPadding(base32.NoPadding)

// String is the ID in 26 characters of a to z and 2 to 7.
func (id ID) String() string { return strings.ToLower(idText.EncodeToString(id[:])) }

// A Reason is why an address gets no mail.
type Reason string

// The reasons of a suppression: a closed list, and label values.
const (
	// Bounced is hard bounces of mails that were sent on three different days.
	Bounced Reason = "bounced"
	// Complained is a complaint: the reader called our mail spam.
	Complained Reason = "complained"
)

// Reasons returns every reason of a suppression.
func Reasons() []Reason { return []Reason{Bounced, Complained} }

// A Suppression is why, since when and until when an address gets no mail.
type Suppression struct {
	Reason Reason
	Since  time.Time
	// Until is zero where it holds for good.
	Until time.Time
}

// A List remembers what came back, by address. Each method is one atomic step,
// and safe to repeat.
type List interface {
	// ID names an address. Capital letters make no difference.
	ID(a vacancy.Address) ID
	// Bounced notes that a mail, sent at the given time, was refused for good
	// because of its address. All the mails of one day (UTC) count once. It
	// reports whether the address is suppressed now, and was not before.
	Bounced(ctx context.Context, id ID, sent, now time.Time) (suppressed bool, err error)
	// Complained suppresses an address for good. It reports whether it was not
	// suppressed for that reason before.
	Complained(ctx context.Context, id ID, now time.Time) (suppressed bool, err error)
}

// A Desk is where everything that comes back is put on the list.
type Desk struct {
	List List
	// Signer makes the envelope senders; nil where no reports are taken in.
	Signer  *Signer
	Logger  *slog.Logger
	Metrics *Metrics
}

// Sender is the envelope sender of a mail to an address, "" where no reports
// are taken in. It is another one every day and holds no address.
func (d *Desk) Sender(to string, at time.Time) string {
	if d.Signer == nil {
		return ""
	}
	return d.Signer.Sender(d.List.ID(vacancy.Address(to)), at)
}

// Rejected counts a mail that the relay refused because of its address while
// it was being sent. What cannot be counted is said in the log: the mail itself
// is settled all the same.
func (d *Desk) Rejected(ctx context.Context, to string, at time.Time) {
	id := d.List.ID(vacancy.Address(to))
	d.Metrics.returned.WithLabelValues(originReply, string(Hard)).Inc()
	if err := d.hard(ctx, id, at, at); err != nil {
		d.Logger.Warn("a refused address could not be counted", "address", id.String(), "err", err)
	}
}

func (d *Desk) hard(ctx context.Context, id ID, sent, now time.Time) error {
	suppressed, err := d.List.Bounced(ctx, id, sent, now)
	if err != nil {
		return err
	}
	if suppressed {
		d.Logger.Warn("an address is dead: it gets no mail for a while", "address", id.String(), "reason", string(Bounced))
	}
	return nil
}

// errNoToken says that a complaint does not tell which of our mails it is
// about, or pretends to.
var errNoToken = errors.New("the complaint names none of our mails")

// Take acts on a report that came for a recipient of ours. An error means that
// the list could not be written: the report has to come again.
func (d *Desk) Take(ctx context.Context, rcpt Recipient, r Report, now time.Time) error {
	token := rcpt.Token
	if rcpt.Reports {
		var err error
		if token, err = d.complained(r, now); err != nil {
			d.Metrics.returned.WithLabelValues(originReport, string(Other)).Inc()
			d.Logger.Info("a mail for complaints changes nothing", "reason", err.Error())
			return nil
		}
	}
	var err error
	switch r.Kind {
	case Hard:
		err = d.hard(ctx, token.ID, token.Sent, now)
	case Complaint:
		var suppressed bool
		if suppressed, err = d.List.Complained(ctx, token.ID, now); suppressed {
			d.Logger.Warn("a reader called a mail spam: the address gets no mail any more", "address", token.ID.String(), "reason", string(Complained))
		}
	case Policy:
		d.Logger.Error("a mail was refused because of us, not of its reader: look at SPF, DKIM and DMARC, at block lists and at the mail's words",
			"address", token.ID.String(), "status", r.Status)
	}
	if err != nil {
		return fmt.Errorf("put a report on the suppression list: %w", err)
	}
	// After the list: a report that comes again is counted once.
	d.Metrics.returned.WithLabelValues(originReport, string(r.Kind)).Inc()
	d.Logger.Info("a report came back", "address", token.ID.String(), "kind", string(r.Kind), "status", r.Status)
	return nil
}

// complained finds the mail that a complaint is about: by the envelope sender
// that it quotes, if that is really one of ours.
func (d *Desk) complained(r Report, now time.Time) (Token, error) {
	if r.Kind != Complaint {
		return Token{}, errors.New("it is no complaint")
	}
	for _, sender := range r.Senders {
		if of, err := d.Signer.Parse(sender, now); err == nil && !of.Reports {
			return of.Token, nil
		}
	}
	return Token{}, errNoToken
}

package bounce

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fixture is a report as Exim 4.96 writes it, with invented names.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wrap makes a multipart/report of parts, each "type\n\nbody" or with further
// fields of its header between.
func wrap(parts ...string) []byte {
	var b strings.Builder
	b.WriteString("From: MAILER-DAEMON@mx.example.net\r\nTo: b+x@bounces.example.org\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"=_b/1\"\r\n\r\nA preamble.\r\n")
	for _, p := range parts {
		b.WriteString("--=_b/1\r\nContent-Type: " + strings.ReplaceAll(p, "\n", "\r\n") + "\r\n")
	}
	return []byte(b.String() + "--=_b/1--\r\n")
}

func status(groups ...string) string {
	return "message/delivery-status\n\nReporting-MTA: dns; mx.example.net\nArrival-Date: Tue, 14 Jul 2026 09:00:00 +0000\n\n" + strings.Join(groups, "\n\n") + "\n"
}

const (
	words    = "text/plain; charset=utf-8\n\nI'm sorry, it could not be delivered.\n"
	original = "message/rfc822\n\nReturn-Path: <b+token@bounces.example.org>\nTo: canary.reader@example.net\nSubject: A new vacancy\n\nBody\n"
	failed   = "Final-Recipient: rfc822; canary.reader@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <canary.reader@example.net>: unknown"
	arrived  = "Final-Recipient: rfc822; canary.reader@example.net\nAction: relayed\nStatus: 2.0.0"
	abuse    = "message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Mail-From: <b+token@bounces.example.org>\n"
)

func TestRead(t *testing.T) {
	global := "message/global-delivery-status\n\nReporting-MTA: dns; mx.example.net\n\nFinal-Recipient: utf-8; 用户@例子.example\nAction: Failed (no such user)\nStatus: 5.1.1\n"
	coded := "message/global-delivery-status\nContent-Transfer-Encoding: base64\n\n" +
		base64.StdEncoding.EncodeToString([]byte("Reporting-MTA: dns; mx.example.net\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n")) + "\n"
	quoted := "message/delivery-status\nContent-Transfer-Encoding: quoted-printable\n\nReporting-MTA: dns; mx.example.net\n\nAction=3A failed\nStatus: 5.1=\n.1\n"
	nested := "multipart/mixed; boundary=in\n\n--in\nContent-Type: " + status(failed) + "--in--\n"
	for _, tt := range []struct {
		name string
		raw  []byte
		want Report
	}{
		// What Exim writes: the Status is always 5.0.0.
		{"exim, unknown user", fixture(t, "exim-unknown-user"), Report{Kind: Hard, Status: "5.1.1"}},
		{"exim, no enhanced code", fixture(t, "exim-bare-550"), Report{Kind: Hard, Status: "550"}},
		{"exim, no route", fixture(t, "exim-unrouteable"), Report{Kind: Hard, Status: "5.0.0"}},
		{"exim, policy", fixture(t, "exim-policy"), Report{Kind: Policy, Status: "5.7.1"}},
		{"exim, 554 after the mail", fixture(t, "exim-554-at-dot"), Report{Kind: Policy, Status: "5.6.0"}},

		{"failed", wrap(words, status(failed), original), Report{Kind: Hard, Status: "5.1.1"}},
		{"no group about the whole", wrap(words, "message/delivery-status\n\n"+failed+"\n"), Report{Kind: Hard, Status: "5.1.1"}},
		{"given up after days", wrap(status("Action: failed\nStatus: 4.4.7")), Report{Kind: Hard, Status: "4.4.7"}},
		{"failed, nothing more", wrap(status("Action: failed")), Report{Kind: Hard}},
		{"policy by status", wrap(status("Action: failed\nStatus: 5.7.26")), Report{Kind: Policy, Status: "5.7.26"}},
		{"policy by a folded reply with dashes", wrap(status("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;\n 550-5.7.26 This mail is\n unauthenticated")), Report{Kind: Policy, Status: "5.7.26"}},
		{"policy by #5.7.1", wrap(status("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp;550 #5.7.1 denied")), Report{Kind: Policy, Status: "5.7.1"}},
		{"554", wrap(status("Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 554 no")), Report{Kind: Policy, Status: "5.1.1"}},
		{"5.7.x in words only", wrap(status("Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 see 5.7.1 and 554")), Report{Kind: Hard, Status: "5.1.1"}},
		{"delayed", wrap(status("Action: delayed\nStatus: 4.4.1\nWill-Retry-Until: Fri, 17 Jul 2026 09:00:00 +0000")), Report{Kind: Delayed, Status: "4.4.1"}},
		{"delivered", wrap(status(arrived)), Report{Kind: Delivered, Status: "2.0.0"}},
		{"handed on to two, reached one", wrap(status(failed, arrived)), Report{Kind: Delivered, Status: "2.0.0"}},
		{"two failed", wrap(status("Action: delayed", failed)), Report{Kind: Hard, Status: "5.1.1"}},
		{"unknown action", wrap(status("Action: exploded\nStatus: 5.1.1")), Report{Kind: Other}},
		{"no action", wrap(status("Status: 5.1.1")), Report{Kind: Other}},
		{"action twice", wrap(status("Action: delayed\nAction: failed")), Report{Kind: Delayed}},
		{"lines that are no fields", wrap(status("nonsense\n: x\nAction: failed\n  more of it\nStatus: 5.1.1")), Report{Kind: Hard, Status: "5.1.1"}},
		{"addresses outside ASCII", wrap(words, global), Report{Kind: Hard, Status: "5.1.1"}},
		{"base64", wrap(coded), Report{Kind: Hard, Status: "5.1.1"}},
		{"quoted-printable", wrap(quoted), Report{Kind: Hard, Status: "5.1.1"}},
		{"in another multipart", wrap(nested), Report{Kind: Hard, Status: "5.1.1"}},
		{"cut short", wrap(words, status(failed), original)[:620], Report{Kind: Hard, Status: "5.1.1"}},

		{"complaint", wrap(words, abuse, original), Report{Kind: Complaint, Senders: []string{"<b+token@bounces.example.org>", "<b+token@bounces.example.org>"}}},
		{"complaint, headers only", wrap("message/feedback-report\n\nFeedback-Type: ABUSE\n", "text/rfc822-headers\n\nReturn-Path: <b+t@x>\nFrom: a@b\n"), Report{Kind: Complaint, Senders: []string{"<b+t@x>"}}},
		{"complaint without a sender", wrap("message/feedback-report\n\nFeedback-Type: fraud\n"), Report{Kind: Complaint}},
		{"not spam after all", wrap("message/feedback-report\n\nFeedback-Type: not-spam\n", original), Report{Kind: Other}},
		{"about authentication", wrap("message/feedback-report\n\nFeedback-Type: auth-failure\n", original), Report{Kind: Other}},

		{"holiday", []byte("From: canary.reader@example.net\r\nAuto-Submitted: auto-replied\r\nSubject: Away\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"), Report{Kind: Other}},
		{"a report that somebody forwards", wrap(words, "message/rfc822\n\n"+strings.NewReplacer("\r", "", "_b/1", "_b/2").Replace(string(wrap(status(failed))))), Report{Kind: Other}},
		{"no boundary", []byte("Content-Type: multipart/report\r\n\r\n--x\r\n"), Report{Kind: Other}},
		{"broken content type", []byte("Content-Type: multipart/report; boundary\r\n\r\n--x\r\n"), Report{Kind: Other}},
		{"too deep", deep(5), Report{Kind: Other}},
		{"deep enough", deep(2), Report{Kind: Hard}},
		{"too many parts", wrap(append(slices.Repeat([]string{words}, 25), status(failed))...), Report{Kind: Other}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Read(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s\n%s", diff, tt.raw)
			}
			// Relays that end lines otherwise.
			if got, err := Read(bytes.ReplaceAll(tt.raw, []byte("\r\n"), []byte("\n"))); err != nil || got.Kind != tt.want.Kind && tt.name != "cut short" {
				t.Errorf("with bare line ends: %+v, %v", got, err)
			}
		})
	}
}

// deep is a report inside n multiparts.
func deep(n int) []byte {
	p := status("Action: failed")
	for range n {
		p = "multipart/mixed; boundary=b" + strings.Repeat("x", n) + "\n\n--b" + strings.Repeat("x", n) + "\nContent-Type: " + p + "--b" + strings.Repeat("x", n) + "--\n"
		n--
	}
	return []byte("Content-Type: " + p)
}

// What is no mail is an error, and the error does not repeat it.
func TestReadNoMail(t *testing.T) {
	for _, raw := range []string{"", "canary.reader@example.net", "canary reader\r\nX: y\r\n\r\n", " : canary\r\n\r\n"} {
		got, err := Read([]byte(raw))
		if err == nil || got.Kind != Other || got.Status != "" || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: got %+v, %v", raw, got, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"exim-unknown-user", "exim-policy", "exim-unrouteable"} {
		f.Add(fixture(f, name))
	}
	f.Add(wrap(words, abuse, original))
	f.Add(wrap(status(failed, arrived)))
	f.Add(deep(3))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Read(raw)
		if !slices.Contains(Kinds(), r.Kind) {
			t.Errorf("kind %q is not on the list", r.Kind)
		}
		if err != nil && r.Kind != Other {
			t.Errorf("kind %q with an error", r.Kind)
		}
		// The status is written to the log: digits and dots, whatever came.
		if strings.Trim(r.Status, "0123456789.") != "" || len(r.Status) > 9 {
			t.Errorf("status %q", r.Status)
		}
		if r.Kind != Complaint && r.Senders != nil {
			t.Errorf("a %s gives senders", r.Kind)
		}
		again, _ := Read(raw)
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("another reading of the same (-first +second):\n%s", diff)
		}
	})
}

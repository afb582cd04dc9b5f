package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
	"github.com/vacancywatch/vacancywatch/store"
	"github.com/vacancywatch/vacancywatch/web"
)

// mailfault STAGE CODE ENHANCED makes the relay fail; without arguments it is
// well.
func mailFault(ts *testscript.TestScript, _ bool, args []string) {
	box := sceneOf(ts).box
	if len(args) == 0 {
		box.ClearFaults()
		return
	}
	f := mailbox.MailFault{Stage: mailbox.Stage(args[0])}
	var err error
	f.Code, err = strconv.Atoi(args[1])
	ts.Check(err)
	_, err = fmt.Sscanf(args[2], "%d.%d.%d", &f.Enhanced[0], &f.Enhanced[1], &f.Enhanced[2])
	ts.Check(err)
	box.AddMailFault(f)
}

// hookfault STATUS makes the endpoint fail; without arguments it is well.
func hookFault(ts *testscript.TestScript, _ bool, args []string) {
	box := sceneOf(ts).box
	if len(args) == 0 {
		box.ClearFaults()
		return
	}
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	// However long the script takes, the next try is not in it.
	box.AddHookFault(mailbox.HookFault{Status: status, RetryAfter: "3600"})
}

// letter VARIABLE STATE sets the variable to the token of the one message that
// is in a state.
func letter(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("vacancywatch", "outbox", "list", "--json", "--state", args[1], "--config", ts.MkAbs("vw.yaml")))
	var l web.Letter
	lines := strings.Split(strings.TrimSpace(ts.ReadFile("stdout")), "\n")
	if len(lines) != 1 {
		ts.Fatalf("%d messages are %s, want one", len(lines), args[1])
	}
	ts.Check(json.Unmarshal([]byte(lines[0]), &l))
	ts.Setenv(args[0], l.Token)
}

// Every end of a mending is said in words of its own, and every state of a
// letter is shown.
func TestOutboxWords(t *testing.T) {
	seen := map[string]bool{}
	for _, how := range []store.Mending{store.MendDone, store.MendReworded, store.MendRebuilt, store.MendUnknown, store.MendSettled, store.MendClaimed, store.MendDamaged} {
		said, done := mendWords(web.OutboxOrder{Action: web.OutboxReplay}, how)
		if seen[said] || said == string(how) {
			t.Errorf("%s: %q", how, said)
		}
		seen[said] = true
		if want := how == store.MendDone || how == store.MendReworded || how == store.MendRebuilt; done != want {
			t.Errorf("%s: done %v", how, done)
		}
	}
	for _, state := range store.LetterStates() {
		l := web.Letter{ID: "a|digest 2026-07-15.1|mail#0a", State: string(state), At: time.Unix(1e9, 0), Items: []string{"x", "y"}, Doubtful: true, Reason: "timeout\x1b[31m"}
		got := letterWords(&l)
		if !strings.Contains(got, "state       "+string(state)) || strings.Count(got, "\nitem ") != 2 || !strings.Contains(got, "doubtful") || strings.Contains(got, "\x1b") {
			t.Errorf("%s:\n%s", state, got)
		}
		var b bytes.Buffer
		if err := listLetters(&env{stdout: &b, stderr: &b}, &web.OutboxAnswer{Letters: []web.Letter{l}, More: true}); err != nil || !strings.Contains(b.String(), "there are more") {
			t.Errorf("%v, %s", err, b.String())
		}
	}
}

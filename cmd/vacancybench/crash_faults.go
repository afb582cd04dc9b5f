package main

import (
	"net/http"
	"time"

	"github.com/vacancywatch/vacancywatch/alerts/mailbox"
)

// answerAfter is a little time between taking a message and answering: the
// instant in which a death doubles it must be hit, not avoided.
const answerAfter = 10 * time.Millisecond

// behave lets the far sides accept everything.
func (s *crash) behave() {
	s.box.ClearFaults()
	s.box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtDot, Delay: answerAfter})
	s.box.AddHookFault(mailbox.HookFault{Delay: answerAfter})
}

// What goes wrong and comes right: each after its own time, so nothing of it
// may lose or double a message. What a far side refuses for good is not due,
// and is shown by the tests of package channel.
var (
	mailFaults = []mailbox.MailFault{
		{Stage: mailbox.AtRcpt, Code: 451, Enhanced: [3]int{4, 7, 1}},
		{Stage: mailbox.AtRcpt, Code: 452},
		{Stage: mailbox.AtDot, Code: 451},
		{Stage: mailbox.AtMail, Code: 421, Cut: true},
		{Stage: mailbox.AtMail, Code: 550, Enhanced: [3]int{5, 7, 1}}, // of the sender: the relay's affair
		{Stage: mailbox.AtRcpt, Cut: true},
		{Stage: mailbox.AtDot, Cut: true, Delay: answerAfter}, // accepted, and the answer is lost
	}
	hookFaults = []mailbox.HookFault{
		{Status: http.StatusTooManyRequests, RetryAfter: "1"},
		{Status: http.StatusServiceUnavailable, RetryAfter: "2"},
		{Status: http.StatusInternalServerError},
		{Status: http.StatusNotFound},
		{Status: http.StatusFound, Location: "/elsewhere"},
		{Cut: true, Delay: answerAfter}, // accepted, and the answer is lost
	}
)

// faultEvery is in which lives something fails: so seldom that the second try
// of a webhook, after five seconds, meets no further fault. The third is five
// minutes away.
const faultEvery = 12

// misbehave makes the far sides fail once in a life, in turn.
func (s *crash) misbehave(life int) {
	s.behave()
	if life%faultEvery != 0 {
		return
	}
	s.box.ClearFaults()
	m, h := mailFaults[life/faultEvery%len(mailFaults)], hookFaults[life/faultEvery%len(hookFaults)]
	m.Times, h.Times = 1, 1
	s.box.AddMailFault(m)
	s.box.AddHookFault(h)
	s.faults += 2
	s.box.AddMailFault(mailbox.MailFault{Stage: mailbox.AtDot, Delay: answerAfter})
	s.box.AddHookFault(mailbox.HookFault{Delay: answerAfter})
}

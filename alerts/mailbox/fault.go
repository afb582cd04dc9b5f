package mailbox

import "time"

// A Stage is the point of a mail transaction at which a fault shows.
type Stage string

// The stages.
const (
	AtMail Stage = "mail" // the answer to MAIL
	AtRcpt Stage = "rcpt" // the answer to RCPT
	AtDot  Stage = "dot"  // the answer to the final dot, after the whole mail
)

// A MailFault makes the mail server fail at a stage.
type MailFault struct {
	Stage Stage
	// Code is the answer, 400 to 599; 0 for the usual one.
	Code int
	// Enhanced is the enhanced code, {5, 7, 1}; absent where zero.
	Enhanced [3]int
	// Cut hangs up instead of an answer. At AtDot the mail was accepted by
	// then: the far side has it and the sender does not know.
	Cut bool
	// Delay passes before the answer.
	Delay time.Duration
	// Times is how often it happens; 0 means until ClearFaults.
	Times int
}

// A HookFault makes the webhook endpoint fail.
type HookFault struct {
	// Status is the answer; 0 for the usual one.
	Status int
	// RetryAfter is the header of that name, absent where empty.
	RetryAfter string
	// Location is the header of that name, for redirects.
	Location string
	// Cut hangs up instead of an answer, after the webhook was accepted.
	Cut bool
	// Delay passes before the answer.
	Delay time.Duration
	// Times is how often it happens; 0 means until ClearFaults.
	Times int
}

// AddMailFault adds a fault behind those that are set: of several for a stage
// the first one that is not used up happens.
func (m *Mailbox) AddMailFault(f MailFault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	m.mailFaults = append(m.mailFaults, &f)
}

// AddHookFault adds a fault behind those that are set.
func (m *Mailbox) AddHookFault(f HookFault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	m.hookFaults = append(m.hookFaults, &f)
}

// ClearFaults makes everything work again.
func (m *Mailbox) ClearFaults() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mailFaults, m.hookFaults = nil, nil
}

func (m *Mailbox) mailFault(at Stage) MailFault {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.mailFaults {
		if f.Stage == at && f.Times != 0 {
			f.Times-- // a fault without end counts down from -1 and never meets 0
			return *f
		}
	}
	return MailFault{}
}

func (m *Mailbox) hookFault() HookFault {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.hookFaults {
		if f.Times != 0 {
			f.Times--
			return *f
		}
	}
	return HookFault{}
}

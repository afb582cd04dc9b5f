package people

import "github.com/vacancywatch/vacancywatch/alerts/message"

// The notices that are sent.
const (
	NoticeConfirm = "confirm" // asks to confirm a wish
	NoticeManage  = "manage"  // brings the link to the person's own page
	NoticeKeep    = "keep"    // asks whether the searches are still wanted
)

// ConfirmNotice asks the owner of an address whether he signed up. He may not
// have: it holds nothing of what was asked for in his name.
func ConfirmNotice(link, page string) message.Notice {
	return message.Notice{
		Subject: "Please confirm your vacancy alerts",
		Before: []string{
			"Somebody, most likely you, asked for vacancy alerts at this address. You get none until you confirm.",
			"The link shows what was asked for, and a button that starts it.",
		},
		Link: link, Label: "See the search and confirm",
		After: []string{
			"The link works for 7 days. If you did not ask for this, do nothing: you get no alerts, and what was asked for is forgotten.",
		},
		PageURL: page,
	}
}

// ManageNotice brings the link to a person's own page.
func ManageNotice(link, page string) message.Notice {
	return message.Notice{
		Subject: "Your link to your vacancy alerts",
		Before: []string{
			"Here is the link that was asked for. On the page you can change, pause and stop your searches, and see or erase your data.",
		},
		Link: link, Label: "See to your vacancy alerts",
		After: []string{
			"The link works for 30 days. Whoever has it can change your searches: do not pass this mail on.",
			"If you did not ask for it, you need do nothing.",
		},
		PageURL: page,
	}
}

// KeepNotice asks who has been silent for a year whether the searches are still
// wanted.
func KeepNotice(link, page string) message.Notice {
	return message.Notice{
		Subject: "Do you still want your vacancy alerts?",
		Before: []string{
			"You have had vacancy alerts from us for a year, and changed nothing. That may be just right.",
			"To keep them, use the link and press the button.",
		},
		Link: link, Label: "Keep my vacancy alerts",
		After:   []string{"If you do nothing, they end in 30 days, and four weeks later we forget your address."},
		PageURL: page,
	}
}

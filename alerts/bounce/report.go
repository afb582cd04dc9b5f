package bounce

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
)

// A Kind is what a report says became of a mail: a label value.
type Kind string

// The kinds of reports: a closed list.
const (
	Hard      Kind = "hard"      // failed for good, for its address
	Policy    Kind = "policy"    // failed for good, for its sender or its content
	Delayed   Kind = "delayed"   // will be tried again
	Delivered Kind = "delivered" // arrived, or was handed on
	Complaint Kind = "complaint" // the reader called it spam
	Other     Kind = "other"     // not a report, or one that says none of these
)

// Kinds returns every kind.
func Kinds() []Kind { return []Kind{Hard, Policy, Delayed, Delivered, Complaint, Other} }

// A Report is what a mail that came back says.
type Report struct {
	Kind Kind
	// Status is the code that comes nearest to the cause, such as 5.1.1 or
	// 550; "" where there is none. It is a hint: Exim always writes 5.0.0.
	Status string
	// Senders are the envelope senders that a complaint gives for the mail
	// that it is about. They may be anything.
	Senders []string
}

// Limits of what is read of a report.
const (
	maxParts  = 20
	maxDepth  = 3
	maxFields = 64 << 10 // bytes of the fields of a part
	maxGroups = 50
)

// Read reads a mail that came back: a delivery report (RFC 3464, and RFC 6533
// for addresses outside ASCII) or a complaint (RFC 5965). The Action of a
// delivery report decides. Its Status is often useless, so it can only excuse
// an address: a failure with 5.7.x, or with the reply 554, is about the sender
// or the content.
//
// What is not a report is Other. An error means that it is not even a mail.
func Read(raw []byte) (Report, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		// The library's error quotes the line.
		return Report{Kind: Other}, fmt.Errorf("read a report of %d bytes: its header cannot be read", len(raw))
	}
	var f findings
	f.part(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0)
	return f.report(), nil
}

// findings are what the parts of a mail say.
type findings struct {
	parts    int
	groups   []fields // of delivery reports, one a recipient
	feedback fields   // of a complaint; nil where there is none
	original []string // Return-Path of the mail that came with it
}

// fields are the fields of a part by their lower-case names; of one that
// repeats, the first.
type fields map[string]string

// part looks at a part, and into it if it has parts of its own. It does not
// look into an attached mail: that one may be a report of something else.
func (f *findings) part(contentType, encoding string, r io.Reader, depth int) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return
	}
	if strings.HasPrefix(kind, "multipart/") {
		if depth >= maxDepth || params["boundary"] == "" {
			return
		}
		parts := multipart.NewReader(r, params["boundary"])
		for f.parts < maxParts {
			f.parts++
			p, err := parts.NextPart()
			if err != nil {
				return
			}
			f.part(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1)
		}
		return
	}
	if strings.EqualFold(strings.TrimSpace(encoding), "base64") {
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		// The first group is about the whole, but where it is missing.
		for _, g := range readGroups(r) {
			if g["action"] != "" {
				f.groups = append(f.groups, g)
			}
		}
	case "message/feedback-report":
		if gs := readGroups(r); len(gs) > 0 && f.feedback == nil {
			f.feedback = gs[0]
		}
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		if gs := readGroups(r); len(gs) > 0 {
			if s := gs[0]["return-path"]; s != "" {
				f.original = append(f.original, s)
			}
		}
	}
}

// readGroups reads groups of fields with empty lines between them, and passes
// over lines that are no fields.
func readGroups(r io.Reader) []fields {
	// What comes before an error, such as a broken encoding, is read.
	b, _ := io.ReadAll(io.LimitReader(r, maxFields))
	var out []fields
	g, last := fields{}, ""
	end := func() {
		if len(g) > 0 && len(out) < maxGroups {
			out = append(out, g)
		}
		g, last = fields{}, ""
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		line = strings.TrimRight(line, "\r \t")
		switch {
		case line == "":
			end()
			continue
		case line[0] == ' ' || line[0] == '\t':
			if last != "" {
				g[last] += " " + strings.TrimSpace(line)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := g[name]; !ok || name == "" || twice {
			last = ""
			continue
		}
		g[name], last = strings.TrimSpace(value), name
	}
	end()
	return out
}

// complaints are the types of feedback by which a reader says that he does not
// want our mail. Others are about something else, or the opposite.
var complaints = map[string]bool{"abuse": true, "fraud": true, "opt-out": true}

func (f *findings) report() Report {
	if f.feedback != nil {
		if !complaints[word(f.feedback["feedback-type"])] {
			return Report{Kind: Other}
		}
		r := Report{Kind: Complaint}
		if s := f.feedback["original-mail-from"]; s != "" {
			r.Senders = append(r.Senders, s)
		}
		r.Senders = append(r.Senders, f.original...)
		return r
	}
	// A mail has one recipient. Where it was handed on to several, one that it
	// reached is enough; then the worst counts.
	best := Report{Kind: Other}
	for _, kind := range []Kind{Delivered, Hard, Policy, Delayed} {
		for _, g := range f.groups {
			if r := class(g); r.Kind == kind {
				return r
			}
		}
	}
	return best
}

var (
	statusRE = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)
	// "smtp; 550-5.7.26 …", with or without an enhanced code.
	diagnosticRE = regexp.MustCompile(`^[^;]{0,40};\s*([245]\d\d)(?:[ -]+#?([245]\.\d{1,3}\.\d{1,3})\b)?`)
)

// class says what the fields about one recipient say.
func class(g fields) Report {
	status := statusRE.FindString(g["status"])
	var reply, enhanced string
	if m := diagnosticRE.FindStringSubmatch(g["diagnostic-code"]); m != nil {
		reply, enhanced = m[1], m[2]
	}
	r := Report{Kind: Other, Status: status}
	switch {
	case enhanced != "":
		r.Status = enhanced
	case reply != "" && (status == "" || strings.HasSuffix(status, ".0.0")):
		r.Status = reply
	}
	switch word(g["action"]) {
	case "failed":
		r.Kind = Hard
		if reply == "554" || strings.HasPrefix(status, "5.7.") || strings.HasPrefix(enhanced, "5.7.") {
			r.Kind = Policy
		}
	case "delayed":
		r.Kind = Delayed
	case "delivered", "relayed", "expanded":
		r.Kind = Delivered
	}
	return r
}

// word is the first word of a field, without comments, in small letters.
func word(s string) string {
	s, _, _ = strings.Cut(s, "(")
	if w := strings.Fields(s); len(w) > 0 {
		return strings.ToLower(strings.TrimRight(w[0], ";,"))
	}
	return ""
}

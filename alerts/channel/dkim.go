package channel

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/vacancywatch/vacancywatch/alerts/message"
	"github.com/vacancywatch/vacancywatch/vacancy"
)

// DKIMConfig signs mails with a key of the sender's domain (RFC 6376).
type DKIMConfig struct {
	// Selector and Domain name the DNS record that holds the public key:
	// <selector>._domainkey.<domain>. The domain is that of From, or one above
	// or below it, as DMARC asks for.
	Selector string `yaml:"selector" json:"selector"`
	Domain   string `yaml:"domain" json:"domain"`
	// KeyFile holds the private key, RSA of 2048 bits or more, in PEM.
	KeyFile string `yaml:"key_file" json:"key_file"`
}

// signedFields are the fields under the signature. From is there twice, so that
// a second one cannot be added; so is each field that a mail lacks. RFC 8058
// wants both List-Unsubscribe fields signed.
var signedFields = []string{"From", "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"}

var (
	selectorRE   = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?))*$`)
	dkimDomainRE = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?i:[a-z][a-z0-9-]{0,61}[a-z0-9])$`)
)

// minRSA is the shortest key, in bits, that receivers are sure to take.
const minRSA = 2048

// A dkimSigner signs. The key lies inside functions, which print as nothing.
type dkimSigner struct {
	selector, domain string
	sign             func(mail []byte) ([]byte, error)
	public           func() *rsa.PublicKey
}

func newDKIMSigner(cfg DKIMConfig, from string) (*dkimSigner, error) {
	if !selectorRE.MatchString(cfg.Selector) || len(cfg.Selector) > 63 {
		return nil, errors.New("selector is not one: give a name such as alerts2026, under which the public key stands in the DNS")
	}
	if !dkimDomainRE.MatchString(cfg.Domain) || len(cfg.Domain) > 180 {
		return nil, errors.New("domain is not a domain: give one such as example.org")
	}
	_, sender, _ := strings.Cut(strings.ToLower(from), "@")
	domain := strings.ToLower(cfg.Domain)
	if sender != domain && !strings.HasSuffix(sender, "."+domain) && !strings.HasSuffix(domain, "."+sender) {
		return nil, errors.New("domain has nothing to do with that of from: such a signature does not count for DMARC")
	}
	if cfg.KeyFile == "" {
		return nil, errors.New("key_file is missing: it holds the private key")
	}
	key, err := readRSA(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	sign := func(mail []byte) ([]byte, error) {
		var b bytes.Buffer
		err := dkim.Sign(&b, bytes.NewReader(mail), &dkim.SignOptions{
			Domain: domain, Selector: cfg.Selector, Signer: key, HeaderKeys: signedFields,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
		if err != nil {
			return nil, errors.New("sign a mail: the signature could not be made")
		}
		return b.Bytes(), nil
	}
	return &dkimSigner{cfg.Selector, domain, sign, func() *rsa.PublicKey { return &key.PublicKey }}, nil
}

// readRSA reads a private key. No error holds any of it.
func readRSA(file string) (*rsa.PrivateKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read key_file: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("read key_file: %s holds no key in PEM", file)
	}
	var parsed any
	if block.Type == "RSA PRIVATE KEY" {
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	switch {
	case err != nil || !ok:
		// Ed25519 as well: many receivers do not check it.
		return nil, fmt.Errorf("read key_file: %s holds no private RSA key: make one with openssl genrsa -out FILE 2048", file)
	case key.N.BitLen() < minRSA:
		return nil, fmt.Errorf("read key_file: the key has %d bits: make one of %d or more", key.N.BitLen(), minRSA)
	}
	return key, nil
}

// record is the name and the text of the DNS record with the public key.
func (s *dkimSigner) record() (name, text string, err error) {
	der, err := x509.MarshalPKIXPublicKey(s.public())
	if err != nil {
		return "", "", errors.New("write the public key: it cannot be encoded")
	}
	return s.selector + "._domainkey." + s.domain, "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
}

// CheckDKIM signs a sample and verifies it as a receiver does. It returns the
// DNS record (TXT) that must stand there for the signatures to count, and asks
// no DNS itself; signed is false where mails are not signed.
func (e *Email) CheckDKIM() (name, text string, signed bool, err error) {
	if e.signer == nil {
		return "", "", false, nil
	}
	if name, text, err = e.signer.record(); err != nil {
		return "", "", true, err
	}
	mail, err := e.Render(sample(), e.from.Address)
	if err != nil {
		return "", "", true, err
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) {
		return []string{text}, nil
	}})
	switch {
	case err != nil:
		return "", "", true, fmt.Errorf("verify a signed sample: %w", err)
	case len(found) != 1:
		return "", "", true, fmt.Errorf("verify a signed sample: %d signatures, want one", len(found))
	case found[0].Err != nil:
		return "", "", true, fmt.Errorf("verify a signed sample: %w", found[0].Err)
	}
	return name, text, true, nil
}

// sample is an alert with everything in it that a signature has to stand: long
// lines, letters outside ASCII, a link to stop the search.
func sample() message.Alert {
	at := time.Date(2026, 6, 24, 8, 22, 0, 0, time.UTC)
	v := vacancy.Vacancy{Source: "sample", Reference: "SAMPLE-26-0001", Title: "Sample of a vacancy – “a long title, to see lines folded” " + strings.Repeat("é ", 30),
		Employer: "Sample Employer", URL: "https://example.org/sample", Closing: vacancy.Day{Year: 2026, Month: 7, Day: 8}}
	return message.Alert{ID: "sample", Search: vacancy.Search{ID: "sample", Name: "Sample"}, At: at,
		StopURL: "https://example.org/u/sample",
		Items:   []message.Item{{Event: vacancy.Event{Kind: vacancy.New, At: at, Vacancy: v}}}}
}

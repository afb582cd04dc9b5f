package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// A token names a message to the far side, the same at every attempt.
type token [24]byte

// A sent is a message as it left, for the bare library to send it once more.
type sent struct {
	from, to string // of a mail
	endpoint int    // of a webhook
	id       string // of a webhook
	body     []byte
}

// Arrivals are what a far side has accepted. They take no memory while they
// are filled, so that a fan-out is not blamed for them.
type arrivals struct {
	answer atomic.Int64 // ns after which an answer is given

	mu    sync.Mutex
	first map[token]time.Time
	more  int    // came again
	keep  bool   // the messages themselves, too
	kept  []sent // in the order in which they came
}

// expect makes room for n messages, and forgets all that came before.
func (a *arrivals) expect(n int, keep bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.first, a.more, a.keep, a.kept = make(map[token]time.Time, n), 0, keep, nil
}

// came notes a message that is accepted, after the time that an answer takes.
func (a *arrivals) came(name string, s sent) {
	if wait := time.Duration(a.answer.Load()); wait > 0 {
		time.Sleep(wait)
	}
	var t token
	copy(t[:], name)
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, again := a.first[t]; again {
		a.more++
		return
	}
	a.first[t] = time.Now()
	if a.keep {
		a.kept = append(a.kept, s)
	}
}

// counts are how many messages came, and how many of them came again.
func (a *arrivals) counts() (came, again int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.first), a.more
}

func (a *arrivals) at(name string) (time.Time, bool) {
	var t token
	copy(t[:], name)
	a.mu.Lock()
	defer a.mu.Unlock()
	at, ok := a.first[t]
	return at, ok
}

// A relay is a mail server to send to.
type relay struct {
	host   string
	port   int
	caFile string // "" where it offers no TLS
	trust  *x509.CertPool
}

// mailSink is a relay that says yes to everything and keeps nothing.
type mailSink struct {
	relay
	*arrivals
	server *smtp.Server
	done   chan struct{}
}

// newMailSink listens on loopback, with STARTTLS if cert is given.
func newMailSink(a *arrivals, cert *certificate) (*mailSink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &mailSink{arrivals: a, relay: relay{host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port}, done: make(chan struct{})}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{sink: s}, nil }))
	s.server.Domain = "relay.example"
	s.server.ErrorLog = log.New(io.Discard, "", 0) // a client that hangs up is no fault here
	if cert != nil {
		s.server.TLSConfig, s.caFile, s.trust = cert.config, cert.file, cert.pool
	}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // ends with Close
	}()
	return s, nil
}

func (s *mailSink) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

// mailSession is one connection.
type mailSession struct {
	sink     *mailSink
	from, to string
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = to; return nil }
func (s *mailSession) Reset()                                      { s.from, s.to = "", "" }
func (s *mailSession) Logout() error                               { return nil }

func (s *mailSession) Data(r io.Reader) error {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r); err != nil {
		return err
	}
	s.sink.came(senderToken(s.from), sent{from: s.from, to: s.to, body: body.Bytes()})
	return nil
}

// senderToken is the name of a message in its envelope sender, b+token@domain.
func senderToken(from string) string {
	_, rest, _ := strings.Cut(from, "+")
	name, _, _ := strings.Cut(rest, "@")
	return name
}

// hookSink is an endpoint that checks the signature, as each should.
type hookSink struct {
	*arrivals
	url    string
	number int
	key    []byte
	server *http.Server
	done   chan struct{}
}

func newHookSink(a *arrivals, number int, secret string) (*hookSink, error) {
	key, err := hookKey(secret)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &hookSink{arrivals: a, url: "http://" + l.Addr().String() + "/hook", number: number, key: key, done: make(chan struct{})}
	s.server = &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)}
	go func() {
		defer close(s.done)
		_ = s.server.Serve(l) // ends with Close
	}()
	return s, nil
}

func (s *hookSink) Close() error {
	err := s.server.Close()
	<-s.done
	return err
}

func (s *hookSink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	id := r.Header.Get("webhook-id")
	if r.Header.Get("webhook-signature") != hookSignature(s.key, id, r.Header.Get("webhook-timestamp"), body) {
		http.Error(w, "the signature is wrong", http.StatusUnauthorized)
		return
	}
	if bytes.Contains(body[:min(len(body), 64)], []byte("endpoint.verify")) {
		w.Write(body) // with the challenge in it
		return
	}
	s.came(strings.TrimPrefix(id, "msg_"), sent{endpoint: s.number, id: id, body: body})
	w.WriteHeader(http.StatusNoContent)
}

// newHookSecret makes a secret as Standard Webhooks has them.
func newHookSecret() string {
	key := make([]byte, 32)
	rand.Read(key)
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

func hookKey(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return nil, errors.New("the secret does not begin with whsec_")
	}
	return base64.StdEncoding.DecodeString(text)
}

// hookSignature is that of Standard Webhooks 1.0.0, with one key.
func hookSignature(key []byte, id, stamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, id+"."+stamp+".")
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// A certificate is a server's on loopback, and what a client trusts it by.
type certificate struct {
	config  *tls.Config
	file    string
	keyFile string
	pool    *x509.CertPool
}

func newCertificate(dir string) (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	c := &certificate{
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		file:   filepath.Join(dir, "relay.pem"), keyFile: filepath.Join(dir, "relay.key"), pool: x509.NewCertPool(),
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	c.pool.AddCert(parsed)
	err = os.WriteFile(c.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	return c, errors.Join(err, os.WriteFile(c.keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

package delivertest

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Browser is one that is subscribed to pushes: it can read what is meant for it.
type Browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

// NewBrowser makes one.
func NewBrowser() (*Browser, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a browser: %w", err)
	}
	b := &Browser{key: key, auth: make([]byte, 16)}
	_, err = rand.Read(b.auth)
	return b, err
}

// ParseBrowser makes the one with these keys, in base64url.
func ParseBrowser(private, auth string) (*Browser, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return nil, fmt.Errorf("read a browser's key: %w", err)
	}
	b := &Browser{}
	if b.key, err = ecdh.P256().NewPrivateKey(raw); err != nil {
		return nil, fmt.Errorf("read a browser's key: %w", err)
	}
	b.auth, err = base64.RawURLEncoding.DecodeString(auth)
	return b, err
}

// P256dh and Auth are what it tells when it subscribes.
func (b *Browser) P256dh() string {
	return base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes())
}

// Auth is its secret.
func (b *Browser) Auth() string { return base64.RawURLEncoding.EncodeToString(b.auth) }

// Open decrypts a message that is meant for it (RFC 8291, section 3.4).
func (b *Browser) Open(body []byte) ([]byte, error) {
	h, _, err := header(body)
	if err != nil {
		return nil, err
	}
	theirs, err := ecdh.P256().NewPublicKey(h.id)
	if err != nil {
		return nil, fmt.Errorf("read the sender's key: %w", err)
	}
	ikm, err := Agreed(b.key, theirs, b.key.PublicKey(), theirs, b.auth)
	if err != nil {
		return nil, err
	}
	return Decrypt(ikm, body)
}

// Agreed is what browser and sender encrypt with (RFC 8291, section 3.3), by the private key of either.
func Agreed(own *ecdh.PrivateKey, theirs, browser, sender *ecdh.PublicKey, auth []byte) (ikm []byte, err error) {
	shared, err := own.ECDH(theirs)
	if err != nil {
		return nil, fmt.Errorf("agree on a secret: %w", err)
	}
	return hkdf.Key(sha256.New, shared, auth, "WebPush: info\x00"+string(browser.Bytes())+string(sender.Bytes()), 32)
}

// coding is the header of an encrypted message.
type coding struct {
	salt, id []byte
	record   int // its size, encrypted
}

// overhead is what encryption adds to a record: the tag, and the octet that ends the text.
const overhead = aes.BlockSize + 1

func header(body []byte) (h coding, rest []byte, err error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return h, nil, errors.New("the message is shorter than its header")
	}
	size := binary.BigEndian.Uint32(body[16:20])
	if size <= overhead || size > 1<<20 {
		return h, nil, fmt.Errorf("records of %d bytes", size)
	}
	end := 21 + int(body[20])
	return coding{body[:16], body[21:end], int(size)}, body[end:], nil
}

// Decrypt reads a message of any number of records (RFC 8188, section 2).
func Decrypt(ikm, body []byte) (text []byte, err error) {
	h, rest, err := header(body)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, h.salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, h.salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	for n := uint64(0); ; n++ {
		record := rest[:min(h.record, len(rest))]
		rest = rest[len(record):]
		numbered := bytes.Clone(nonce)
		binary.BigEndian.PutUint64(numbered[4:], binary.BigEndian.Uint64(nonce[4:])^n)
		plain, err := gcm.Open(nil, numbered, record, nil)
		if err != nil {
			return nil, fmt.Errorf("decrypt record %d: %w", n, err)
		}
		ends := map[bool]string{true: "\x02", false: "\x01"}[len(rest) == 0]
		part, ok := strings.CutSuffix(strings.TrimRight(string(plain), "\x00"), ends)
		if !ok {
			return nil, fmt.Errorf("record %d does not end as it should", n)
		}
		if text = append(text, part...); len(rest) == 0 {
			return text, nil
		}
	}
}

// Signed checks who a push comes from (RFC 8292): whose key the header names, for which origin, and until when. The expiry
// is not judged by a clock, since stored requests have one, too.
func Signed(header, origin string) (key string, expires time.Time, err error) {
	given, ok := strings.CutPrefix(header, "vapid t=")
	token, key, both := strings.Cut(given, ", k=")
	parts := strings.Split(token, ".")
	if !ok || !both || len(parts) != 3 {
		return "", time.Time{}, errors.New("the header is none of VAPID")
	}
	raw, keyErr := base64.RawURLEncoding.DecodeString(key)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err = errors.Join(err, keyErr); err != nil || len(signature) != 64 {
		return "", time.Time{}, fmt.Errorf("a signature of %d bytes: %w", len(signature), err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("read the key: %w", err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return "", time.Time{}, errors.New("the signature does not fit")
	}
	return claims(parts[1], key, origin)
}

func claims(part, key, origin string) (string, time.Time, error) {
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	body, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(body, &c)
	}
	switch {
	case err != nil:
		return "", time.Time{}, fmt.Errorf("read what is signed: %w", err)
	case c.Aud != origin:
		return "", time.Time{}, fmt.Errorf("it is for %s, not %s", c.Aud, origin)
	case strings.HasPrefix(c.Sub, "mailto:mailto:") || !strings.HasPrefix(c.Sub, "mailto:") && !strings.HasPrefix(c.Sub, "https:"):
		return "", time.Time{}, fmt.Errorf("nobody can be asked at %q", c.Sub)
	}
	return key, time.Unix(c.Exp, 0), nil
}

// PushOrigin is where browsers of a Push take their messages. It is a name like any other; Client leads it to the server.
const PushOrigin = "https://push.example"

// Push is a local push service that reads what it is given: it checks the signature, and each of its browsers decrypts.
type Push struct {
	provider[Notice]
	browsers map[string]*Browser // by path
}

// Notice is a message that a browser has read.
type Notice struct {
	Path                    string // of its endpoint
	Title, Body, Opens, Tag string
	Topic, TTL, Urgency     string
}

// NewPush starts the server. Close ends it.
func NewPush() *Push {
	s := &Push{browsers: map[string]*Browser{}}
	s.open(httptest.NewTLSServer, http.HandlerFunc(s.take))
	return s
}

// Client reaches the server under any name. Nothing is followed.
func (s *Push) Client() *http.Client {
	pool := s.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", s.server.Listener.Addr().String())
			}},
	}
}

// Subscribe makes a browser with an endpoint of its own.
func (s *Push) Subscribe(path string) (endpoint string, b *Browser, err error) {
	if b, err = NewBrowser(); err != nil {
		return "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsers[path] = b
	return PushOrigin + path, b, nil
}

// Notices lists what was read, in order.
func (s *Push) Notices() []Notice { return s.all() }

func (s *Push) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<10))
	if err != nil {
		return // the request never was complete
	}
	n := s.asked()
	s.mu.Lock()
	browser := s.browsers[r.URL.Path]
	s.mu.Unlock()
	notice, status := read(r, browser, body)
	if status == http.StatusCreated && !s.taken(w, r, n, notice) {
		return
	}
	w.WriteHeader(status)
}

// read judges a push as the real ones do, and lets its browser read it; nil is a browser that is not there any more.
func read(r *http.Request, b *Browser, body []byte) (n Notice, status int) {
	if b == nil {
		return n, http.StatusGone
	}
	_, expires, err := Signed(r.Header.Get("Authorization"), PushOrigin)
	if left := time.Until(expires); err != nil || left <= 0 || left > 24*time.Hour {
		return n, http.StatusUnauthorized
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" || len(r.Header.Get("Topic")) > 32 {
		return n, http.StatusBadRequest
	}
	plain, err := b.Open(body)
	n = Notice{Path: r.URL.Path, Topic: r.Header.Get("Topic"), TTL: r.Header.Get("TTL"), Urgency: r.Header.Get("Urgency")}
	if err == nil {
		err = json.Unmarshal(plain, &n)
	}
	switch {
	case len(body) > 4096:
		return n, http.StatusRequestEntityTooLarge
	case err != nil:
		return n, http.StatusBadRequest
	}
	return n, http.StatusCreated
}

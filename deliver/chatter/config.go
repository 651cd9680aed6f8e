package chatter

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"aftercall/deliver/wire"
	"aftercall/internal/webaddress"
)

// DefaultLogin is where people of an ordinary organization log in.
const DefaultLogin = "https://login.salesforce.com"

// sandboxLogin is where those of a sandbox do.
const sandboxLogin = "https://test.salesforce.com"

const sendTimeout = 20 * time.Second

// Config is what the channel needs: an id, and either a secret (client credentials) or a user and a key (a signed assertion).
type Config struct {
	ClientID     string // the connected app's consumer key
	ClientSecret string
	Username     string // of the user who posts, with PrivateKey
	PrivateKey   string // RSA, PEM
	LoginURL     string // default https://login.salesforce.com; client credentials need the organization's own
	InstanceURL  string // where the API is, if it is not where Salesforce says; only for what stands in between, and for tests
	Timeout      time.Duration
	Connections  int
	Now          func() time.Time
}

// New returns the channel. It makes no request.
func New(c Config) (*Channel, error) {
	l := &login{clientID: c.ClientID, secret: c.ClientSecret, username: c.Username, turn: make(chan struct{}, 1), now: c.Now}
	var err error
	if c.ClientID == "" || strings.ContainsFunc(c.ClientID+c.ClientSecret+c.Username, unicode.IsControl) {
		return nil, errors.New("salesforce: the client's id is missing, or a setting holds a line break")
	}
	switch {
	case (c.ClientSecret == "") == (c.PrivateKey == ""):
		return nil, errors.New("salesforce: it needs a client secret, or a private key, not both")
	case c.PrivateKey != "" && c.Username == "":
		return nil, errors.New("salesforce: a private key needs the name of the user who posts")
	case c.PrivateKey != "":
		if l.key, err = parseKey(c.PrivateKey); err != nil {
			return nil, err
		}
	}
	if c.LoginURL == "" {
		c.LoginURL = DefaultLogin
	}
	if l.url, err = Address(c.LoginURL); err != nil {
		return nil, err
	}
	if c.ClientSecret != "" && (l.url == DefaultLogin || l.url == sandboxLogin) {
		return nil, errors.New("salesforce: client credentials need the organization's own address to log in: https://….my.salesforce.com")
	}
	if c.InstanceURL != "" {
		if l.instance, err = Address(c.InstanceURL); err != nil {
			return nil, err
		}
	}
	if c.Timeout <= 0 {
		c.Timeout = sendTimeout
	}
	if c.Connections <= 0 {
		c.Connections = 64
	}
	if c.Now == nil {
		c.Now, l.now = time.Now, time.Now
	}
	l.http = wire.Client(c.Connections)
	return &Channel{login: l, names: &names{byID: map[target]found{}}, timeout: c.Timeout, now: c.Now, http: l.http}, nil
}

// Address checks an address of Salesforce's: nothing but a host, and https unless it is this machine, because a token goes
// there.
func Address(s string) (string, error) {
	u, ok := webaddress.Parse(s)
	if !ok || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("salesforce: want a URL without a path, such as https://acme.my.salesforce.com")
	}
	if u.Scheme != "https" && !loopback(u.Hostname()) {
		return "", errors.New("salesforce: want https://: a token goes there")
	}
	return u.Scheme + "://" + u.Host, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// parseKey reads an RSA key in PEM.
func parseKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("salesforce: the private key is not in PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if key, ok := parsed.(*rsa.PrivateKey); ok {
			return key, nil
		}
	}
	return nil, errors.New("salesforce: the private key is not an RSA key")
}

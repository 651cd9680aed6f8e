package bed

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// operator signs in to the pages of a bed.
const operator = "ops@chaos.example"

// SignIn makes a person who may see everything, and signs them in to the pages at this address. Whoever asks for a page shows
// the cookie. env is of the process that serves them, where it works on another database than the bed's own. Done again, the person
// gets another password.
func (b *Bed) SignIn(ctx context.Context, pages string, env ...string) (*http.Cookie, error) {
	out, code, err := b.RunWith(ctx, env, "people", "add", operator, "--role", "admin")
	if err == nil && code != 0 {
		out, code, err = b.RunWith(ctx, env, "people", "password", operator)
	}
	if err != nil || code != 0 {
		return nil, fmt.Errorf("add a person: exit %d: %w\n%s", code, err, out)
	}
	password, _, _ := strings.Cut(out, "\n")
	form := url.Values{"email": {operator}, "password": {strings.TrimSpace(password)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, pages+"/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("sign in to the pages: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, fmt.Errorf("sign in to the pages: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if cookies := res.Cookies(); res.StatusCode == http.StatusSeeOther && len(cookies) == 1 {
		return cookies[0], nil
	}
	return nil, fmt.Errorf("sign in to the pages: status %d", res.StatusCode)
}

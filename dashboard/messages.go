package dashboard

import (
	"fmt"
	"net/http"

	"aftercall/internal/store"
	"aftercall/people"
)

// message loads what a delivery says, whole, as whoever asks may see it.
func (d *Dashboard) message(r *http.Request) (store.Content, error) {
	account, id, err := d.find(r)
	if err != nil {
		return store.Content{}, err
	}
	c, err := d.reader(r, people.Look).Message(r.Context(), account, id, r.PathValue("delivery"))
	if err != nil {
		return store.Content{}, fmt.Errorf("show a message: %w", err)
	}
	if !people.Of(r.Context()).May(people.Addresses, account) {
		maskContent(&c)
	}
	return c, nil
}

// deliveryHTML is GET /conversations/{id}/deliveries/{delivery}: a delivery's HTML under the sandbox policy.
func (d *Dashboard) deliveryHTML(r *http.Request) (answer, error) {
	c, err := d.message(r)
	if err == nil && c.HTML == "" {
		err = store.ErrNotFound
	}
	return answer{Message: c.HTML}, err
}

// deliveryText is GET /conversations/{id}/deliveries/{delivery}/text: a delivery's text, to keep.
func (d *Dashboard) deliveryText(r *http.Request) (answer, error) {
	c, err := d.message(r)
	if err == nil && c.Text == "" {
		err = store.ErrNotFound
	}
	return answer{File: &file{Type: "text/plain; charset=utf-8", Name: "message.txt", Body: []byte(c.Text)}}, err
}

package automation

import (
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/language"

	"aftercall/deliver"
	"aftercall/recipients"
)

// gather takes a file's sections apart. Lists and mappings of several files are merged; a setting stands in one of them.
func (c *compiler) gather(v value) {
	top := v.fields()
	for _, key := range []string{"account", "name", "timezone", "language", "missing", "from", "region", "budget", "retention"} {
		if s := top[key]; s.present() {
			c.once("setting", key, s)
		}
	}
	c.allow(top["allow"])
	for _, s := range top["sources"].items("sources") {
		c.source(s)
	}
	c.people = append(c.people, c.own("person", top["people"])...)
	c.groups = append(c.groups, c.own("group", top["groups"])...)
	c.declarations(top["variables"])
	c.rules = append(c.rules, top["automations"].items("automations")...)
}

// items reads a list whose members are mappings.
func (v value) items(what string) []value {
	if v.quiet() {
		return nil
	}
	if v.node.Kind != yaml.SequenceNode {
		v.fail(codeType, what+" must be a list", "start each entry with  - ")
		return nil
	}
	return v.list()
}

// own reads a mapping whose keys belong to the account, each to one place.
func (c *compiler) own(kind string, v value) []entry {
	if !v.present() {
		return nil
	}
	return slices.DeleteFunc(v.entries(v.of.mapping().name), func(e entry) bool { return !c.once(kind, e.key, e.at) })
}

// setting gives a top-level setting wherever it stood.
func (c *compiler) setting(key string) value { return c.first["setting "+key] }

// account reads the settings of the account itself.
func (c *compiler) account() {
	if v := c.setting("account"); v.present() {
		c.rev.AccountID, _ = v.id("account")
	} else if !c.partial {
		c.at(accountFile, codeMissing, "the account has no id", "start account.yaml with  account: acme")
	}
	c.rev.Name = c.rev.AccountID
	if s, ok := c.setting("name").line("name"); ok {
		c.rev.Name = s
	}
	c.timezone(c.setting("timezone"))
	if v := c.setting("language"); v.present() {
		if s, ok := v.line("language"); ok {
			if _, err := language.Parse(s); err != nil {
				v.fail(codeValue, fmt.Sprintf("%s is not a language", s), "write a code such as en, en-GB or de")
			}
			c.rev.Language = s
		}
	}
	if s, ok := c.setting("missing").line("missing"); ok {
		c.rev.Missing = s
	}
	c.from(c.setting("from"))
	c.region(c.setting("region"))
	c.budget(c.setting("budget"))
	c.retention(c.setting("retention"))
}

// region reads where numbers without a country code are from; without it, from where the sender of texts is. Versions that do not
// know the key leave such a revision to those that do.
func (c *compiler) region(v value) {
	s, ok := v.line("region")
	if !ok {
		return
	}
	c.rev.Format = max(c.rev.Format, 8)
	code := strings.ToUpper(s)
	if !recipients.KnowsRegion(code) {
		v.fail(codeValue, fmt.Sprintf("there is no region %s whose phone numbers are known", s), "write the two letters of ISO 3166, such as GB, DE or US")
		return
	}
	c.rev.Directory.Region = code
}

// mostTokens is more than any account spends in a day; a longer number is a slip.
const mostTokens = 1_000_000_000_000

// budget reads what the account may spend on the model in a day. Versions that do not know the key leave such a revision
// to those that do.
func (c *compiler) budget(v value) {
	if !v.present() {
		return
	}
	c.rev.Format = max(c.rev.Format, 2)
	if t := v.fields()["tokens_per_day"]; t.present() {
		c.rev.TokensPerDay = t.integer("tokens_per_day")
	} else if v.isMapping() {
		v.fail(codeMissing, "the budget has no tokens_per_day", "write  budget: { tokens_per_day: 2000000 }")
	}
}

// mostDays is a hundred years.
const mostDays = 36_500

// retention reads how long the account's calls are kept. Versions that do not know the key leave such a revision to those
// that do.
func (c *compiler) retention(v value) {
	if !v.present() {
		return
	}
	c.rev.Format = max(c.rev.Format, 5)
	if d := v.fields()["days"]; d.present() {
		c.rev.KeepDays = d.integer("days")
	} else if v.isMapping() {
		v.fail(codeMissing, "the retention has no days", "write  retention: { days: 90 }")
	}
}

func (c *compiler) timezone(v value) {
	if !v.present() {
		if !c.partial {
			c.at(accountFile, codeMissing, "the account has no timezone", "add  timezone: Europe/London")
		}
		return
	}
	if loc := zone(v); loc != nil {
		c.rev.Location = loc
	}
}

// zone reads the name of a time zone; nil if it is none.
func zone(v value) *time.Location {
	s, ok := v.line("timezone")
	if !ok {
		return nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		v.fail(codeZone, fmt.Sprintf("there is no time zone %s", s), "write a name such as Europe/London")
		return nil
	}
	return loc
}

func (c *compiler) from(v value) {
	f := v.fields()
	if e := f["email"]; e.present() {
		if s, ok := e.line("from.email"); ok {
			c.rev.From = c.sender(e, s)
		}
	}
	if n := f["sms"]; n.present() {
		c.rev.FromNumber = phone(n, "from.sms")
		c.rev.Directory.Allow.Senders = append(c.rev.Directory.Allow.Senders, c.rev.FromNumber)
		c.rev.Directory.Region = recipients.RegionOf(c.rev.FromNumber)
	}
}

// sender reads "Acme Clinic <calls@acme.example>" or a bare address.
func (c *compiler) sender(v value, s string) deliver.Address {
	name, address := "", s
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		name, address = strings.TrimSpace(s[:i]), s[i+1:len(s)-1]
		if a, err := mail.ParseAddress(s); err == nil {
			name = a.Name // without the quotes it may have had
		}
	}
	exact, p := recipients.Email(address)
	if p != nil {
		v.refuse(codeAddress, p)
	}
	return deliver.Address{Name: name, Address: exact}
}

func phone(v value, what string) string {
	s, ok := v.line(what)
	if !ok {
		return ""
	}
	n, p := recipients.Phone(s, "")
	if p != nil {
		v.refuse(codeAddress, p)
	}
	return n
}

func email(v value, what string) string {
	s, ok := v.line(what)
	if !ok {
		return ""
	}
	a, p := recipients.Email(s)
	if p != nil {
		v.refuse(codeAddress, p)
	}
	return a
}

// allow reads the allow-list. Those of several files add up.
func (c *compiler) allow(v value) {
	f, a := v.fields(), &c.rev.Directory.Allow
	for _, d := range f["domains"].list() {
		if s, ok := d.line("a domain"); ok {
			domain, p := recipients.ParseDomain(s)
			if p != nil {
				d.refuse(codeAddress, p)
				continue
			}
			a.Domains = append(a.Domains, domain)
		}
	}
	for _, w := range f["addresses"].list() {
		if s, ok := w.line("an address"); ok {
			read := email
			if strings.HasPrefix(s, "+") {
				read = phone
			}
			if exact := read(w, "an address"); exact != "" {
				a.Addresses = append(a.Addresses, exact)
			}
		}
	}
	for _, n := range f["senders"].list() {
		c.rev.Format = max(c.rev.Format, 6)
		if exact := phone(n, "a sender"); exact != "" {
			a.Senders = append(a.Senders, exact)
		}
	}
	if f["contacts"].present() && c.once("setting", "allow.contacts", f["contacts"]) {
		a.Contacts = f["contacts"].boolean("contacts", false)
	}
}

// directory reads people and groups. Keys are all known before any member is read, so that order does not matter.
func (c *compiler) directory() {
	d := c.rev.Directory
	for _, e := range c.people {
		c.key(e, "a person")
		f := e.what.fields()
		p := recipients.PersonEntry{Key: e.key, Name: e.key, Email: email(f["email"], "email"), Phone: phone(f["phone"], "phone")}
		if s, ok := f["name"].line("name"); ok {
			p.Name = s
		}
		p.Role, _ = f["role"].id("role")
		p.User, _ = f["user"].line("user")
		if f["timezone"].present() {
			c.rev.Format = max(c.rev.Format, 8)
			p.Location = zone(f["timezone"])
		}
		d.People[e.key] = p
	}
	for _, e := range c.groups {
		c.key(e, "a group")
		if _, taken := d.People[e.key]; taken {
			e.at.fail(codeSameID, fmt.Sprintf("%s is both a person and a group", e.key), "rename one of them; automations name both in the same way")
		}
		d.Groups[e.key] = nil
	}
	for _, e := range c.groups {
		d.Groups[e.key] = c.members(e.what)
	}
	for _, e := range c.groups {
		if path := d.Cycle(e.key); path != nil {
			e.at.fail(codeCycle, "the group contains itself: "+strings.Join(path, " → "), "take one of them out")
		}
	}
}

func (c *compiler) key(e entry, what string) {
	if slices.Contains(recipients.Reserved(), e.key) {
		e.at.fail(codeID, fmt.Sprintf("%s cannot be called %s", what, e.key), "that word has a meaning of its own under to:")
	}
	e.at.id("the key")
}

func (c *compiler) members(v value) []recipients.Target {
	var out []recipients.Target
	for _, t := range c.targets(v, "") {
		switch t.Kind {
		case recipients.Person, recipients.Group, recipients.Fixed:
			out = append(out, t)
		default:
			v.fail(codeTarget, "a group holds people, groups and addresses", "write the customer, route or all under to:")
		}
	}
	return out
}

// targets reads the entries of to: and its like. channel is "" where it is not known yet.
func (c *compiler) targets(v value, channel string) []recipients.Target {
	var out []recipients.Target
	for _, w := range v.list() {
		s, ok := w.line("a recipient")
		if !ok {
			continue
		}
		t, p := c.rev.Directory.ParseTarget(s, channel)
		if p != nil && strings.Contains(s, ",") {
			p = &recipients.Problem{Message: "these are several recipients in one", Help: "write a list, in brackets and each in quotes:  [" + quotedParts(s) + "]"}
		}
		switch {
		case p == nil && !slices.Contains(out, t):
			out = append(out, t)
		case p != nil && !c.partial: // who there is, and who is allowed, is known once every file can be read
			w.fail(codeTarget, p.Message, c.meant(s, p.Help))
		}
	}
	return out
}

// quotedParts are the recipients of a text with commas, as the members of a list.
func quotedParts(s string) string {
	var parts []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, strconv.Quote(part))
		}
	}
	return strings.Join(parts, ", ")
}

// meant turns the help for an unknown key into a proposal, if one is near.
func (c *compiler) meant(s, help string) string {
	if strings.ContainsAny(s, "@+{") {
		return help
	}
	known := []string{"route"}
	for _, e := range slices.Concat(c.people, c.groups) {
		known = append(known, e.key)
	}
	if near := nearest(s, known); near != "" && near != s {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return help
}

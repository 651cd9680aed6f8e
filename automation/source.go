package automation

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"aftercall/internal/webaddress"
)

// SourceType is a kind of platform that posts to us, and the settings that a source of this type may have.
type SourceType struct {
	Name     string
	Settings []string // keys of Source.Settings; no others get through Compile
	Schemes  []string // what its posts may be signed by beside its own scheme and StandardWebhooks
}

// The keys of Source.Settings.
const (
	SettingSignature        = "signature"         // the scheme: the type's own name, StandardWebhooks or one of its Schemes
	SettingSignatureHeader  = "signature_header"  // a header's name, instead of the platform's own
	SettingTimestampHeader  = "timestamp_header"  // likewise
	SettingURL              = "url"               // the platform's page of a call, http or https, with {id} for the call's id
	SettingContactVariables = "contact_variables" // "true": the caller-supplied variables hold the contact record

	// Of a platform that lets its customers choose how it signs.
	SettingAlgorithm = "algorithm"        // sha256, sha512 or sha1
	SettingEncoding  = "encoding"         // hex or base64
	SettingSigned    = "signed"           // what is signed: {body}, with or without {timestamp}
	SettingPrefix    = "signature_prefix" // stands before the signature
)

// StandardWebhooks is the signature scheme that any source may choose (standardwebhooks.com).
const StandardWebhooks = "standard-webhooks"

// Token is the scheme of a platform that sends the secret itself in a header, and signs nothing.
const Token = "token"

// Path is the scheme of a platform that can neither sign nor set a header: the secret is the end of the address it posts to.
const Path = "path"

// SourceAPI is the source under which posts with an API key are kept. No configured source may have this id: its events
// would be taken for those of the API.
const SourceAPI = "api"

// SourceTypes lists every type and its settings. Package ingest has an adapter for each, which reads these settings and
// no others.
func SourceTypes() []SourceType {
	return []SourceType{
		{Name: "native"},
		{Name: "itellico", Settings: []string{SettingSignature, SettingSignatureHeader, SettingTimestampHeader, SettingURL}},
		{Name: "elevenlabs", Settings: []string{SettingSignature, SettingSignatureHeader, SettingContactVariables}},
		{Name: "vapi", Schemes: []string{Token}, Settings: []string{SettingSignature, SettingSignatureHeader, SettingTimestampHeader, SettingAlgorithm,
			SettingEncoding, SettingSigned, SettingPrefix, SettingContactVariables}},
		{Name: "retell", Settings: []string{SettingSignature, SettingSignatureHeader, SettingContactVariables}},
		{Name: "bland", Settings: []string{SettingSignature, SettingSignatureHeader, SettingContactVariables}},
		{Name: "synthflow", Schemes: []string{Path}, Settings: []string{SettingSignature, SettingSignatureHeader, SettingContactVariables}},
		{Name: "twilio", Schemes: []string{Path}, Settings: []string{SettingSignature, SettingSignatureHeader}},
		{Name: "kazoo", Settings: []string{SettingSignature}},

		// Their events make no calls yet.
		{Name: "dialpad", Settings: []string{SettingSignature}},
		{Name: "aircall", Settings: []string{SettingSignature}},
		{Name: "ringcentral", Settings: []string{SettingSignature}},
	}
}

// maxWait is the longest a source may be waited for; a call whose mail comes a day late is no after-call work.
const maxWait = 24 * time.Hour

func (c *compiler) source(v value) {
	f := v.fields()
	if !v.isMapping() {
		return
	}
	kind := f["type"].sourceType()
	s := Source{Type: kind.Name, Secrets: c.secrets(v, f), Settings: f["settings"].settings(kind)}
	if !f["id"].present() || !f["type"].present() {
		v.fail(codeMissing, "a source needs id and type", "write  - { id: itellico, type: itellico, secret: \"${ENV:ITELLICO_SECRET}\" }")
		return
	}
	var ok bool
	if s.ID, ok = f["id"].id("a source's id"); ok {
		c.once("source", s.ID, f["id"])
	}
	if s.ID == SourceAPI {
		f["id"].fail(codeID, "a source cannot be called "+SourceAPI, "what is posted with an API key is kept under that name")
	}
	s.WaitForAnalysis = f["wait_for_analysis"].duration("wait_for_analysis")
	s.Events = f["events"].lines("an event type")
	if e := f["from"].fields()["email"]; e.present() {
		c.rev.Format = max(c.rev.Format, 8)
		if text, ok := e.line("from.email"); ok {
			s.From = c.sender(e, text)
		}
	} else if f["from"].isMapping() {
		f["from"].fail(codeMissing, "the sender has no email", "write  from: { email: \"Acme Berlin <berlin@acme.example>\" }")
	}
	c.rev.Sources = append(c.rev.Sources, s)
}

// sourceType reads one of the types there are.
func (v value) sourceType() SourceType {
	if i := slices.Index(sourceNames(), v.word("type")); i >= 0 {
		return SourceTypes()[i]
	}
	return SourceType{}
}

// settings reads what a source of a type may set. The line of a setting that is not known is never shown: it may hold
// what the author took for the place of a secret.
func (v value) settings(kind SourceType) map[string]string {
	var out map[string]string
	for _, e := range v.entries("settings") {
		switch {
		case kind.Name == "": // the type has to be mended first
			e.what.hide()
			continue
		case len(kind.Settings) == 0:
			e.what.hide()
			e.at.fail(codeUnknownKey, "unknown setting "+e.key, fmt.Sprintf("a source of type %s has no settings", kind.Name))
			continue
		case !slices.Contains(kind.Settings, e.key):
			e.what.hide()
			e.at.unknown(codeUnknownKey, "unknown setting", kind.Settings)
			continue
		}
		if s, ok := e.what.setting(e.key, kind); ok {
			if out == nil {
				out = map[string]string{}
			}
			out[e.key] = s
		}
	}
	v.fits(out)
	return out
}

// fits reports settings that say how something is signed which is signed otherwise, or not at all.
func (v value) fits(out map[string]string) {
	scheme := out[SettingSignature]
	if scheme == StandardWebhooks && (out[SettingSignatureHeader] != "" || out[SettingTimestampHeader] != "") {
		v.fail(codeValue, "Standard Webhooks has header names of its own", "take out signature_header and timestamp_header, or signature")
		return
	}
	for _, key := range []string{SettingSignatureHeader, SettingTimestampHeader, SettingAlgorithm, SettingEncoding, SettingSigned, SettingPrefix} {
		other := scheme == StandardWebhooks || scheme == Path || scheme == Token && key != SettingSignatureHeader
		if out[key] != "" && other {
			v.fail(codeValue, key+" has no place beside signature: "+scheme, "take it out, or signature")
			return
		}
	}
}

// header is a field name of RFC 9110, section 5.1.
var header = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

// setting reads the value of one setting.
func (v value) setting(key string, kind SourceType) (string, bool) {
	switch key {
	case SettingSignature:
		return v.scheme(key, kind)
	case SettingContactVariables:
		return strconv.FormatBool(v.boolean(key, false)), true
	case SettingURL:
		return v.page(key)
	case SettingAlgorithm:
		return v.among(key, "sha256", "sha512", "sha1")
	case SettingEncoding:
		return v.among(key, "hex", "base64")
	case SettingSigned:
		return v.signed(key)
	case SettingPrefix:
		return v.line(key)
	}
	s, ok := v.line(key)
	if ok && !header.MatchString(s) {
		v.fail(codeValue, key+" must be the name of a header", "write a name such as X-Signature")
		return "", false
	}
	return s, ok
}

// scheme reads how posts are signed: as the source's own type does, as Standard Webhooks, or in another way that its platform has.
func (v value) scheme(key string, kind SourceType) (string, bool) {
	return v.among(key, append([]string{kind.Name, StandardWebhooks}, kind.Schemes...)...)
}

// among reads one of some words.
func (v value) among(key string, allowed ...string) (string, bool) {
	s, ok := v.scalar(key)
	if ok && !slices.Contains(allowed, s) {
		v.unknown(codeMember, key+" cannot be", allowed)
		return "", false
	}
	return s, ok
}

// signed reads what is signed: the body once, and the time or not.
func (v value) signed(key string) (string, bool) {
	s, ok := v.line(key)
	rest := strings.Replace(strings.Replace(s, "{body}", "", 1), "{timestamp}", "", 1)
	if ok && (!strings.Contains(s, "{body}") || strings.ContainsAny(rest, "{}")) {
		v.fail(codeValue, key+" must hold {body} once, and may hold {timestamp}", `write it as  "{timestamp}.{body}"`)
		return "", false
	}
	return s, ok
}

// maxPage bounds the address of a page, so that a call's id still fits into what a conversation takes.
const maxPage = 1000

// page reads the address of a page, in which {id} stands for a call. People click on it, so it is http or https, on a
// host that no call can name.
func (v value) page(key string) (string, bool) {
	s, ok := v.line(key)
	if !ok {
		return "", false
	}
	u, ok := webaddress.Parse(strings.ReplaceAll(s, "{id}", "id"))
	switch {
	case !ok || len(s) > maxPage:
	case u.User != nil:
		v.hide()
		v.fail(codeSecret, key+" holds a user or a password", "take out what stands before the @")
		return "", false
	case !strings.Contains(hostOf(s), "{"):
		return s, true
	}
	v.fail(codeValue, key+" must be an http or https address", "write it as  https://calls.example/conversations/{id}")
	return "", false
}

// hostOf is what stands between the slashes of an address and its path.
func hostOf(s string) string {
	_, rest, _ := strings.Cut(s, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		return rest[:i]
	}
	return rest
}

var secretName = regexp.MustCompile(`^\$\{ENV:([A-Z][A-Z0-9_]*)\}$`)

// ownName finds the names under which the process has its own settings. An author who could name them as a source's
// secret could have the operator's keys used, and guessed at, through a webhook.
var ownName = regexp.MustCompile(`^(AFTERCALL_.*|PG[A-Z]+|(DATABASE_URL|OPENAI_API_KEY|OPENAI_BASE_URL|SENDGRID_(API_KEY|BASE_URL|WEBHOOK_KEY|SECONDARY_WEBHOOK_KEY)|SMTP_URL|TWILIO_(ACCOUNT_SID|AUTH_TOKEN|SECONDARY_AUTH_TOKEN|MESSAGING_SERVICE|BASE_URL)|SALESFORCE_[A-Z_]+)(_FILE)?)$`)

// secrets reads the names of a source's secrets: one, or two while they are exchanged. A secret that is written out is an
// error, and its line is never shown.
func (c *compiler) secrets(source value, f map[string]value) []string {
	one, several := f["secret"], f["secrets"]
	if one.present() && several.present() {
		several.fail(codeValue, "secret and secrets are the same thing", "write the one or two names under secrets")
	}
	var out []string
	list := slices.Concat(one.list(), several.list())
	for _, v := range list {
		s, ok := v.scalar("a secret")
		name := secretName.FindStringSubmatch(s)
		switch {
		case !ok:
		case name == nil:
			v.hide()
			v.fail(codeSecret, "a secret is named here, never written out", `set it in the environment and write "${ENV:NAME}"`)
		case ownName.MatchString(name[1]):
			v.fail(codeSecret, name[1]+" is a setting of aftercall itself", "give the source a secret of its own, under another name")
		default:
			out = append(out, s)
		}
	}
	broken := one.present() && one.quiet() || several.present() && several.quiet() // said already
	switch {
	case len(list) == 0 && !broken:
		source.fail(codeMissing, "a source needs a secret to check signatures with", `write  secret: "${ENV:NAME}"`)
	case len(list) > mostSecrets:
		list[mostSecrets].fail(codeValue, "at most two secrets can be live at a time", "take out the oldest")
	}
	return out
}

// hide keeps the lines of a value out of every report.
func (v value) hide() {
	last := v.node.Line
	if v.node.Kind == yaml.ScalarNode {
		end, _ := v.doc.locate(v.node, len(v.node.Value))
		last = max(last, end)
	}
	for line := v.node.Line; line <= last; line++ {
		v.doc.secret[line] = true
	}
}

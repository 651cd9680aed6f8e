package triggers

import (
	"regexp"
	"slices"
	"strings"

	"aftercall/conversation"
)

// Suspicious is the first turn of the customer's that Instructs, from 1; 0: none. What others said, and what stands beside the
// conversation, is not looked at.
func Suspicious(c *conversation.Conversation) (turn int) {
	return 1 + slices.IndexFunc(c.Turns, func(t conversation.Turn) bool { return t.Role == conversation.RoleCustomer && Instructs(t.Text) })
}

// Instructs reports whether a text has words that address a language model and not a person: an order to drop its
// instructions, a question for its prompt, a new part to play, or the marks that part a prompt. English, German, Spanish and French.
//
// It only knows plain forms: what it finds is to be looked at, and what it does not find may still be an attack. It would rather miss
// one than take an honest caller for an attacker. Of the corpora that make chaos reads for S1 and S3 it flags none of the 110 look-alikes and
// none of the 50 mails, and finds 9 of the 14 English rows of CyberSecEval that say to ignore what was said before, 13 of all its 125.
func Instructs(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(signs, func(s sign) bool { return s.in(text) })
}

// sign is one way to address a model.
type sign struct {
	cues  []string // one of them stands in every match: most texts have none, which is found out quickly
	words *regexp.Regexp
}

// in reports whether a text in small letters has the sign. What a group of the pattern has matched makes it a harmless use: a caller
// who tells of somebody's instructions, and does not give any.
func (s sign) in(text string) bool {
	if !slices.ContainsFunc(s.cues, func(cue string) bool { return strings.Contains(text, cue) }) {
		return false
	}
	return slices.ContainsFunc(s.words.FindAllStringSubmatchIndex(text, -1), func(at []int) bool {
		return !slices.ContainsFunc(at[2:], func(i int) bool { return i >= 0 })
	})
}

// Before and after an order: who is said to follow it instead of the listener, or whose instructions they are.
const (
	toldEN  = `(?:\b((?:i|we|he|she|they|people|who|not|never|[a-z]+n['’]t|(?:me|us|him|her|them)\s+to)(?:['’](?:ll|d|ve))?(?:\s+(?:can|could|should|would|will|may|might|must|have|had|to|do|did|just|simply))*)\s+)?`
	ofEN    = `(?:,?\s+(of|from|for|on|about|regarding|concerning|by|i|we|he|she|they|my|our|his|her|their|that|which)\b)?`
	ofDE    = `(?:,?\s+(von|vom|der|des|auf|zu|zum|zur|für|über|aus|im|ich|wir|die|das|meine[rsmn]?|unsere[rsmn]?)\s)?`
	ofES    = `(?:,?\s+(de|del|que|sobre|para|en)\s)?`
	ofFR    = `(?:,?\s+(de|du|des|que|sur|pour|dans)\s)?`
	orderEN = `(?:instructions|directions|directives|orders|prompts?|guidelines|rules|programming|commands)\b`
	orderDE = `(?:anweisung(?:en)?|instruktionen|regeln|befehle|vorgaben|prompts?|systemprompts?)\b`
	orderES = `(?:instrucciones|reglas|indicaciones|órdenes|directrices)`
	orderFR = `(?:instructions|consignes|règles|directives|ordres)`
	soFarDE = `(?:vorherige|vorige|bisherige|obige|frühere|vorangegangene|vorhergehende|ursprüngliche)n?`
)

var signs = []sign{
	{[]string{"instructions", "directi", "orders", "prompt", "guidelines", "rules", "programming", "commands"}, regexp.MustCompile(
		toldEN + `\b(?:ignore|disregard|forget|override|bypass)\s+(?:about\s+)?(?:(?:all|any|every)\s+(?:of\s+)?)?(?:the\s+|these\s+|those\s+)?` +
			`(?:your|your\s+(?:own|initial|original|system|safety)|previous|prior|earlier|preceding|above|(?:your\s+)?(?:previous|prior|earlier|preceding|above))\s+(?:system\s+)?` + orderEN + ofEN)},
	{[]string{"told", "instructed"}, regexp.MustCompile(
		toldEN + `\b(?:ignore|disregard|forget)\s+(?:everything|anything|all)\s+(?:that\s+)?you(?:\s+have|\s+were|['’]ve)\s+(?:been\s+)?(?:told|instructed)(?:\s+to\s+do)?` + ofEN)},
	{[]string{"system prompt", "initial prompt", "hidden prompt"}, regexp.MustCompile(
		`\byour\s+(?:(?:full|entire|own|complete|initial|original|hidden)\s+)*(?:system|initial|hidden)\s+prompt\b|` +
			`\b(?:reveal|show|print|repeat|output|leak|display|tell)\s+(?:me\s+)?the\s+(?:(?:full|entire|complete|above)\s+)*(?:system|hidden)\s+prompt\b`)},
	{[]string{"you are now", "you're now"}, regexp.MustCompile(
		`\byou(?:['’]re|\s+are)\s+now\s+(?:(?:an?|the|in)\s+)?(?:[a-z]+\s+){0,2}?(?:ai\b|dan\b|gpt|chatbot|language\s+model|jailbroken|unrestricted|developer\s+mode|assistant\s+(?:that|who|called|named|without)\b)`)},
	{[]string{"new instruction", "new system instruction"}, regexp.MustCompile(
		`(?:^|[.!?:;\n\]>*#-])\s*(?:(?:here\s+are\s+)?your\s+)?new\s+(?:system\s+)?instructions?(?:\s+are)?\s*:`)},
	{[]string{"as an ai", "as a language", "as a large", "as an artificial"}, regexp.MustCompile(
		`\bas\s+an?\s+(?:ai|artificial\s+intelligence|(?:large\s+)?language\s+model|ai\s+(?:(?:language\s+)?model|assistant|system)),?\s+you\s+(?:must|should|will|shall|have\s+to|are)\b`)},
	{[]string{"<|", "[inst]", "[/inst]", "<<sys>>", "system>", "###", "end "}, regexp.MustCompile(
		`<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|begin_of_text|start_header_id|eot_id)\|>|\[/?inst\]|<</?sys>>|</?system>|` +
			`###\s*(?:system|instructions?|assistant)\b|-{2,}\s*end\s+(?:of\s+)?(?:the\s+)?(?:transcript|conversation|prompt|instructions|context)\s*-{2,}`)},
	{[]string{"anweisung", "instruktionen", "regeln", "befehle", "vorgaben", "prompt"}, regexp.MustCompile(
		`(?:(nicht|ich|wir)\s+)?\b(?:ignorier(?:e|en\s+sie)?|vergiss|vergessen\s+sie|missachte(?:n\s+sie)?)\s+(?:bitte\s+)?(?:alle\s+|all\s+)?` +
			`(?:(?:die|deine|eure|ihre)\s+)?(?:deine|eure|` + soFarDE + `)\s+` + orderDE + ofDE)},
	{[]string{"instrucciones", "reglas", "indicaciones", "órdenes", "directrices"}, regexp.MustCompile(
		`(?:(no|yo|que)\s+)?\b(?:ignora|ignore|ignorad|olvida|olvide|olvídate\s+de|olvídese\s+de|desestima|descarta)\s+(?:por\s+favor\s+)?(?:(?:todas|todos)\s+)?` +
			`(?:(?:las|los|tus|sus|estas|esas)\s+)?` + orderES + `\s+(?:anteriores|previas|iniciales|de\s+arriba)` + ofES)},
	{[]string{"instructions", "consignes", "règles", "directives", "ordres"}, regexp.MustCompile(
		`(?:(je|nous|on|il|elle|ils|ne|de)\s+)?\b(?:ignore|ignorez|oublie|oubliez)\s+(?:toutes\s+|tous\s+)?(?:les|tes|vos|ces)\s+` +
			orderFR + `\s+(?:précédente?s|antérieure?s|initiales|ci-dessus)` + ofFR)},
}

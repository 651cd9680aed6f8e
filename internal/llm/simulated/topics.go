package simulated

import (
	"regexp"
	"strings"
)

// topic is a situation that call centres know, with the words by which it is recognised.
type topic struct {
	name     string
	cues     *regexp.Regexp // in the author's question
	customer *regexp.Regexp // what the customer says then
	agent    *regexp.Regexp // what the agent says then; nil if only the customer's words count
	offer    *regexp.Regexp // of the agent; counts if the customer accepts
	never    *regexp.Regexp // passages that only look like it
	undo     *regexp.Regexp // takes it back
	firm     bool           // a "not" before it does not turn it round: the phrases hold their own negations
}

// phrases compiles alternatives, without regard to case. A space stands for any run of spaces.
func phrases(all ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?i)(` + strings.ReplaceAll(strings.Join(all, `|`), ` `, `\s+`) + `)`)
}

// topics are the ten starters' situations, in their order.
func topics() []topic {
	return []topic{
		callback(), appointment(), complaint(), unanswered(), technical(), billing(), escalation(), purchase(), demo(), praise(),
	}
}

func callback() topic {
	return topic{
		name: "callback",
		cues: phrases(`call(ed|ing)?[- ]?back`, `follow-?up contact`, `return(ed)? (a |the |my )?call`, `\bring back\b`, `be (called|contacted|phoned)`),
		customer: phrases(`\bcall (me|us|him|her) ?(back|later|again|tomorrow|today|tonight|on|at|after|before|between|around|this|next|when|in|monday|tuesday|wednesday|thursday|friday)`,
			`\b(ring|phone) (me|us)\b`, `\bgive (me|us) a (call|ring|bell)`, `\b(a|the) call[- ]?back\b`, `\bcall[- ]?back (please|request)`, `\bget back to (me|us)\b`,
			`\breturn my call`, `\b(someone|somebody|anyone|him|her|them|manager|doctor|technician|colleague|you) (to |can |could |please )*(call|ring|phone|contact) (me|us)\b`,
			`\b(please|can you|could you) contact me\b`, `when (will|are|can) (they|you|someone|somebody) (going to |gonna )?(be )?(call|calling|contact|contacting)`,
			`\b(wait|waiting) for (your|the|their) call`, `\breach me (on|at|after|between)`),
		offer: phrases(`\b(call|ring|phone) you\b`, `\bget back to you`, `\bcall[- ]?back\b`, `\bgive you a (call|ring)`, `\bcontact you\b`),
		never: phrases(`(thanks|thank you) for (calling|the call)[^.!?]*`, `(you|they|he|she|someone) (already )?called me back[^.!?]*`, `i('ll| will) (call|ring|phone|get) (you )?back[^.!?]*`, `last time[^.!?]*call(ed)? back[^.!?]*`),
		undo:  phrases(`\b(don't|do not|no need to|needn't|not necessary to) (call|ring|phone|contact)`, `(won't|will not|don't|do not) (be )?(need|needing|require|want)( you| anyone| anybody)?( a| the| to)* (call|ring|phone)`, `never mind[^.]*call`),
	}
}

func appointment() topic {
	return topic{
		name:     "appointment",
		cues:     phrases(`appointment`, `reservation`, `\bbook(ed|ing)?\b`, `\bscheduled?\b`, `\bviewing\b`, `meeting`),
		customer: phrases(`\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|\d{1,2}(th|st|nd|rd)?|noon)\b[^.?!]{0,40}\b(works|is (fine|good|perfect|great)|suits|sounds good|would be (great|perfect|good|fine))`, `\bi('ll| will) be there (on|at|then)`, `\bsee you (on|at|tomorrow|then|next|monday|tuesday|wednesday|thursday|friday|saturday|sunday)`),
		agent: phrases(`\b(you|you're|you are|it's|it is|that's|that is|is|are|has been|have been|have|i've|i have|successfully|all)\b[^.?!]{0,30}\b(booked|scheduled|reserved)\b`, `\b(booked|scheduled|reserved) (you|your|the|that|it|in|for)`,
			`\b(appointment|booking|reservation|visit|viewing|meeting|table)\b[^.?!]{0,40}\b(confirmed|booked|set|made|scheduled|complete)`, `\bsee you (on|at|tomorrow|then|next|monday|tuesday|wednesday|thursday|friday|saturday|sunday)`, `\b(put|got|have) you (down|in) (for|on|at)`, `\bconfirmed (for|your|the)`),
		offer: phrases(`\b(shall|should|can|could|may|would you like me to|do you want me to|let me)\b[^.?!]{0,25}\b(book|schedule|reserve|put you (down|in)|make (a|the|that) (booking|reservation|appointment))[^?]*(\d|monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow)`),
		never: phrases(`(fully|already|all) booked[^.!?]*`, `booked (up|out|solid)[^.!?]*`, `(should|shall|do|would|could|can|may) (i|we|you)[^.?!]*\?`, `if (you|i|we)[^.?!]*book[^.?!]*`, `(was|were) (booked|scheduled) (last|yesterday)[^.?!]*`, `(how many|what|which)[^.?!]*\?`, `see you (around|later)`),
		undo:  phrases(`\bcancel(l?ed|ling)?\b[^.?!]{0,30}\b(appointment|booking|reservation|visit|meeting|it|that|everything)`, `(can't|cannot|could not|couldn't|unable to|not able to|wasn't able to|failed to|sorry)[^.?!]{0,40}\b(book|schedule|reserve|make (that|the|a|this) (booking|reservation|appointment))`, `no longer available`),
	}
}

func complaint() topic {
	return topic{
		name: "complaint",
		cues: phrases(`complain`, `dissatisf`, `frustrat`, `unhappy`, `upset`, `angry`, `negative review`),
		customer: phrases(`\bcomplain`, `\bunhappy\b`, `\bnot (at all |very |really |too )?(happy|satisfied|acceptable|good enough|impressed|pleased)\b`, `(isn't|is not|that's not) (acceptable|good enough|right at all)`, `\bdisappoint`, `\bfrustrat`,
			`\b(terrible|awful|horrible|appalling|dreadful|ridiculous|unacceptable|disgusting|disgraceful|useless|pathetic|shocking|outrageous|disgusted|incompetent)\b`, `\bworst\b`, `\b(was|were|been|so|very|extremely) rude\b`, `\bfed up\b`, `\bsick (and tired )?of\b`, `\bwast(e|ed|ing) (of )?(my|our)? ?(time|money)`,
			`\b(bad|negative|terrible|one[- ]star) review`, `\bcancel (my|our) (subscription|contract|account|membership)`, `\b(had|have had) enough\b`, `\blet (me|us) down\b`, `\b(angry|furious|livid|outraged|annoyed|annoying|upset)\b`, `\bthanks for nothing\b`, `\b(third|fourth|fifth|tenth) time\b`, `\binconvenien`, `\bstill (waiting|no (answer|reply|response))`, `\bnobody (has )?(ever )?(called|answered|came|replied|turned up|showed up)`, `\bbad (service|experience)\b`, `\b(this|that)'?s? (is )?a joke\b`),
		never: phrases(`\b(no|without|any) complaints?\b`, `\bnot (a complaint|complaining|unhappy|upset|angry|annoyed|frustrated|disappointed|bad)\b`, `\b(can't|cannot|couldn't|nothing to) complain\b[^.!?]*`, `(sorry|apologi[sz]e)[^.!?]{0,30}(inconvenien|upset|disappoint|annoy)[^.!?]*`, `\bnever (been )?(disappoint|let)[^.!?]*`, `\bdepartment of complaints\b`),
		firm:  true,
	}
}

func unanswered() topic {
	return topic{
		name: "unanswered",
		cues: phrases(`unanswered`, `(could not|couldn't|fail(ed|s)? to|unable to|not able to|did not|didn't|can't|cannot)[^.?]{0,30}(answer|help|understand|know)`, `no answer`),
		agent: phrases(`\b(i|we)('m| am|'re| are)?[^.?!]{0,20}\b(don't|do not) (actually |really )?(know\b|have (that|this|the|any|an|access))`, `\b(i'm|i am) not (entirely |quite |really )?(sure|certain)\b`, `\b(can't|cannot|can not|could not|couldn't|unable to|not able to|won't be able to)\b (answer|help|say|tell|assist|find|look|confirm|access|provide|comment)`,
			`\bno (information|details|idea)\b`, `\b(have to|need to|let me) (check|ask|find out)[^.?!]{0,40}(get|come|call) (back|you)`, `\b(didn't|did not|don't|do not) (quite |fully )?(understand|catch|get) (that|your|you|what)`, `\bbeyond (what|my)\b`, `\bnot something i (can|know|have)`, `\bout(side)? of (my )?scope`),
		customer: phrases(`\b(you|they) (didn't|did not|haven't|never|still haven't) (really )?answer(ed)?\b`, `\bnobody (can|could) (answer|tell)`),
		never:    phrases(`(don't|do not) know if you (know|saw|heard)[^.!?]*`, `i('m| am) not sure (what|which|how) (time|day|date) (you|would)[^.!?]*`),
		firm:     true,
	}
}

func technical() topic {
	return topic{
		name: "technical",
		cues: phrases(`technical`, `\bbugs?\b`, `\berrors?\b`, `malfunction`, `glitch`, `not working`, `\bfault`, `outage`),
		customer: phrases(`\berror\b`, `\bbugs?\b`, `\bcrash(es|ed|ing)?\b`, `\b(doesn't|does not|doesnt|isn't|is not|isnt|not|won't|will not|wont|stopped|never|don't|do not|quit) (even )?(work|working|works|load|loading|start|starting|open|opening|turn on|turning on|connect|connecting|respond|responding|power|boot|booting|print|printing|sync|syncing|charging)\b`,
			`\b(can't|cannot|can not|cant|unable to|couldn't|not able to) (even )?(log|sign|access|open|connect|load|print|download|upload|install|get (in|into|online|through to the site)|reset|save|update)\b`, `\bbroken\b`, `\bfr(ozen|eezes|eezing|oze)\b`, `\bhangs\b`, `\b(blank|black|blue|white) (screen|page)\b`, `\bglitch`,
			`\bkeeps? (on )?(crashing|disconnecting|dropping|restarting|logging|failing|buffering|cutting|freezing|rebooting|giving)`, `\bno (internet|signal|connection|dial tone|picture|sound)\b`, `\b(internet|wi-?fi|app|website|site|portal|system|server|router|modem|printer|laptop|computer|software|line|phone|screen|device|machine|heating|boiler)\b[^.?!,]{0,25}\b(down|problem|issue|slow|faulty|out of order|dead|stuck|fails|failed|failing)\b`, `\b(problem|issue|trouble)s? with (my|the|our|your) (internet|wi-?fi|app|website|site|portal|system|server|router|modem|printer|laptop|computer|software|line|device|machine|login|password)`, `\bvirus\b`, `\boutage\b`, `\btechnical (issue|problem|fault|difficult)`),
		never: phrases(`\b(no|without|any|zero) (more )?(errors?|bugs?|crashes|problems?|issues?|glitch(es)?|outages?)\b`, `\bhuman error\b`, `\b(is|it's|are|all) (working|fine|running)[^.?!]{0,20}(now|again|fine|well|perfectly)`, `\b(was|in) error\b`, `not working (today|on|this|tomorrow|late)`, `(won't|doesn't|does not|will not) work for (me|us)`, `error (in|on|with) (my|the) (credit card )?(bill|invoice|statement)`),
		firm:  true,
	}
}

func billing() topic {
	return topic{
		name: "billing",
		cues: phrases(`\bbill(s|ing|ed)?\b`, `invoice`, `\bcharge[sd]?\b`, `\bpayments?\b`, `refund`),
		customer: phrases(`\bbill(s|ed|ing)?\b`, `\binvoices?\b`, `\b(over)?charg(e|ed|es|ing)\b`, `\brefund`, `\bpayments?\b`, `\bpaid (twice|double|already|the|my|for)`, `\b(account|outstanding|my) balance\b`, `\bdirect debit\b`, `\b(do|did|much) (i|we) (still )?owe\b`, `\bmoney back\b`,
			`\btaken (twice|out|from my account)`, `\bcredit note\b`),
		never: phrases(`\b(no|free of|without) charge\b`, `\bin charge\b`, `\bcharge (my|the|your) (phone|battery|laptop|car|device)[^.?!]*`, `\b(battery|phone|laptop|car|tablet)[^.?!]{0,20}charg(e|ing|er)\b`, `\bcharger\b`, `\b(not|nothing|isn't) (about|to do with|regarding)[^.?!]{0,20}(bills?|invoices?|payments?|billing)`, `\bfoot the bill\b`, `\bbill (smith|gates|clinton|jones)\b`),
	}
}

func escalation() topic {
	return topic{
		name:     "escalation",
		cues:     phrases(`escalat`, `\bmanagers?\b`, `supervisor`, `human agent`, `management attention`, `real person`),
		customer: phrases(`\b(speak|talk|get|put|transfer|transferred|connect|connected|pass|escalate|want|need|like|see|bring)\b[^.?!]{0,35}\b(manager|supervisor|human|real person|actual person|person in charge|someone (senior|higher)|boss|representative|live agent|live person|human being|team lead)\b`, `\b(speak|talk) (to|with) (someone|somebody) else\b`, `\bescalat(e|ed|ing)\b`, `\bwho('s| is) your (manager|supervisor|boss)`, `\b(your )?(manager|supervisor),? (now|please|immediately)\b`, `\b(legal action|lawyer|solicitor|ombudsman|trading standards|take you to court|small claims)\b`),
		agent:    phrases(`\b(transfer(ring|red)? (you|your call|this call|the call|them to|to (a|our|the) (human|manager|supervisor|agent|colleague))|escalat(e|ed|ing)|put(ting)? you through|hand(ing)? you over|connect(ing)? you)\b`, `\b(manager|supervisor) has been (notified|informed|alerted)`),
		never:    phrases(`\b(i am|i'm|as) (the|a) (manager|supervisor)[^.?!]*`, `\b(spoke|spoken|talked) (to|with)[^.?!]*`, `\bbank transfer\b`, `\b(money|wire) transfer\b`, `\btransfer(red)? (the |my |some )?(money|funds|it to)[^.?!]*`, `\b(would|do) you (like|want)( me)? to[^.?!]*\?`, `\bshall i[^.?!]*\?`),
		offer:    phrases(`\b(would you like|do you want|shall i|can i|should i)\b[^.?!]{0,40}\b(transfer|manager|supervisor|human|escalate|put you through|colleague)`),
	}
}

func purchase() topic {
	return topic{
		name:     "order",
		cues:     phrases(`\border(s|ed)?\b`, `purchase`, `\bbought\b`),
		customer: phrases(`\b(please |go ahead and |yes,? )(place|submit|confirm) (the|my|that|an) order`, `\bi('ll| will) (take|buy|have) (it|them|two|three|one|the|that|those|a)\b`, `\bplace (the|that|this|my) order\b`, `\bi('d| would) like to (place|make) (an|my) order\b`, `\bi want to order\b`, `\bi('d| would) like to order\b`),
		agent:    phrases(`\border\b[^.?!]{0,25}\b(placed|confirmed|complete|completed|processed|on its way|being prepared|in the system|will be (ready|there|delivered|shipped|sent))`, `\b(placed|put through|put in|processed|submitted|confirmed|completed) (your|the|that|an|this) (order|purchase)`, `\bthank(s| you) for your (order|purchase)`, `\byour order (number|will|total|comes)\b`, `\b(order|confirmation) number is\b`, `\bpurchase (is|has been) (confirmed|complete)`, `\b(i have|i've|have been|are|successfully) purchased\b`, `\b(will|'ll) (be|have (this|it|that|them)) (ready|out)\b`),
		offer:    phrases(`\b(shall|should|can|may|would you like me to|do you want me to|ready|is it ok)\b[^.?!]{0,25}\b((place|submit|confirm|complete)\b[^.?!]{0,15}\border|purchase (the|these|your|this))`),
		never:    phrases(`\b(placed|made) (an|my|the|this|that) order (last|yesterday|on|two|three|a|\d)[^.?!]*`, `\b(where|when)[^.?!]*\border\b[^.?!]*`, `\bin order to\b`, `\bout of order\b`, `\border[^.?!]{0,30}(hasn't|has not|never|didn't|did not|not) [^.?!]*`, `(should|shall|do|would|could|can|may) (i|we|you)[^.?!]*order[^.?!]*\?`),
		undo:     phrases(`\bcancel[^.?!]{0,20}\border`, `\b(don't|do not) (place|submit|order|want to order)`, `(couldn't|could not|can't|cannot|unable to|not able to)[^.?!]{0,30}(place|process|complete|submit)[^.?!]{0,20}order`),
	}
}

func demo() topic {
	return topic{
		name:     "demo",
		cues:     phrases(`\bdemos?\b`, `demonstration`, `product tour`),
		customer: phrases(`\bdemos?\b`, `\bdemonstrat`, `\b(show|walk) (me|us) (how|through|around|the|what|your)`, `\bin action\b`, `\bproduct tour\b`, `\bfree trial\b`, `\btry (it|the product|the software|the platform) (out|first)`),
		offer:    phrases(`\b(would you like|shall|can|could|do you want|happy to)\b[^.?!]{0,40}\b(demo|demonstration|tour)`),
		never:    phrases(`\b(had|saw|seen|watched|attended|after|liked|enjoyed|from) (a|the|your|our|that|this) (demo|demonstration)[^.?!]*`, `\bdemo (account|version|data)\b`),
	}
}

func praise() topic {
	return topic{
		name: "praise",
		cues: phrases(`positive`, `compliment`, `praise`, `happy with`, `\bpleased\b`, `satisfied with`, `kind words`),
		customer: phrases(`\b(very|really|so|extremely|super|most|incredibly|absolutely|quite) (helpful|kind|pleased|happy|friendly|professional|impressed|patient|satisfied|grateful|quick|efficient|thorough)\b`, `\b(great|excellent|fantastic|amazing|wonderful|brilliant|outstanding|awesome|superb|incredible|exceptional) (customer )?(service|job|work|help|support|experience|agent|team|staff|person|ai|company|assistant|care)\b`,
			`\byou('re| are| have been|'ve been| were) (\w+ )?(\w+ )?(great|amazing|awesome|the best|wonderful|fantastic|brilliant|a star|lifesaver|life saver|helpful|excellent|lovely|superb)\b`, `\bcouldn't be happier\b`, `\bcompliments?\b`, `\b(love|loved) (your|the|how|working|dealing)\b`, `\bimpressed\b`, `\bfive[- ]stars?\b`, `\b(highly |definitely )recommend\b`, `\bpleased with\b`, `\bwell done\b`, `\bmade my day\b`, `\bbest (service|support|experience|company|help)\b`, `\bkeep up the (good|great) work\b`),
		never: phrases(`\bwould be (great|very helpful|really helpful)[^.?!]*`, `\b(not|isn't|wasn't|hardly|far from|aren't|never) (\w+ )?(happy|impressed|pleased|satisfied|helpful|great|excellent)[^.?!]*`, `\b(great|excellent|wonderful|brilliant|fantastic) (service|job|work),? (not|if|losing|you (lost|forgot))[^.?!]*`, `\bhow (helpful|great)\b[^.?!]*\?`),
	}
}

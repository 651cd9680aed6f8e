package main

import "slices"

// forReading is said of what other clients send and are answered: there is nothing to try it on.
const forReading = "for reading"

// lanes is how each file below fixtures/ is tried: an outcome begins with what is wanted. Whoever gives the product a new path puts
// its line here.
func lanes() []lane {
	return slices.Concat(readmeLanes(), platformLanes(), salesforceLanes(), textLanes(), sendGridLanes(), pushLanes(), modelLanes())
}

// readmeLanes are what tells people of the fixtures.
func readmeLanes() []lane {
	return []lane{
		{"README.md", said("for people"), "for people"},
		{"index.json", said("for people"), "for people"},
		{"*/README.md", said("for people"), "for people"},
	}
}

// platformLanes are what platforms post when a call is over, with what they sign.
func platformLanes() []lane {
	return []lane{
		{"elevenlabs/vectors.json", judged("elevenlabs"), "judged alike"},
		{"elevenlabs/post_call_audio*", posted("elevenlabs", nil), "ignored"},
		{"elevenlabs/*", posted("elevenlabs", nil), "a call"},

		{"vapi/vectors.json", judged("vapi"), "judged alike"},
		{"vapi/status_update*", posted("vapi", nil), "ignored"},
		{"vapi/end_of_call_report.minimal.json", posted("vapi", nil), "answered 400 /message/call/id"}, // its call is empty
		{"vapi/*", posted("vapi", nil), "a call"},

		{"retell/vectors.json", judged("retell"), "judged alike"},
		{"retell/call_object.json", posted("retell", inside("call", `,"event":"call_analyzed"`)), "a call"},
		{"retell/*", posted("retell", nil), "a call"},

		{"bland/vectors.json", judged("bland"), "judged alike"},
		{"bland/*", posted("bland", nil), "a call"},

		{"synthflow/vectors.json", judged("synthflow"), "judged alike"},
		{"synthflow/*", posted("synthflow", nil), "a call"},

		{"twilio_inbound/vectors.json", judged("twilio"), "judged alike"},
		{"twilio_inbound/call_status_completed*", posted("twilio", nil), "a call"},
		{"twilio_inbound/recording_*", posted("twilio", nil), "ignored"},
		{"twilio_inbound/intelligence_v2_transcript.json", posted("twilio", inside("transcript", "")), "a call"},
		{"twilio_inbound/intelligence_v2_sentences*", posted("twilio", nil), "a call"},
		{"twilio_inbound/intelligence_v2_operator_results.json", posted("twilio", withTranscript), "a call"},
		{"twilio_inbound/*", posted("twilio", nil), "ignored"},

		{"kazoo/channel_destroy*", posted("kazoo", nil), "a call"},
		{"kazoo/notifications.missed_call.json", posted("kazoo", nil), "a call"},
		{"kazoo/notifications.voicemail_new.json", posted("kazoo", nil), "a call"},
		{"kazoo/*", posted("kazoo", nil), "ignored"},

		{"dialpad/*", posted("dialpad", nil), "ignored"},
		{"aircall/*", posted("aircall", nil), "ignored"},
		{"ringcentral/*", posted("ringcentral", nil), "ignored"},

		{"standard_webhooks/vectors.json", judged("native"), "judged alike"},
		{"standard_webhooks/*", posted("native", nil), "answered 400"}, // somebody else's events, in nobody's format
	}
}

// textLanes are what Twilio says to texts and of them.
func textLanes() []lane {
	return []lane{
		{"twilio_messages/error_400_21211*", texted(), "refused (bad_number 400)"},
		{"twilio_messages/error_400_2160*", texted(), "retry (sender 400)"},
		{"twilio_messages/error_400_21610*", texted(), "refused (opted_out 400)"},
		{"twilio_messages/error_400_21617*", texted(), "refused (too_long 400)"},
		{"twilio_messages/error_401_20003*", texted(), "retry (auth 401)"},
		{"twilio_messages/error_404_20404*", texted(), "refused (wrong_url 404)"},
		{"twilio_messages/error_429_20429*", texted(), "retry (rate_limited 429)"},
		{"twilio_messages/error_503*", texted(), "retry (server_error 503)"},
		{"twilio_messages/response_*", texted(), "receipt "},
		{"twilio_messages/request_create.headers.txt", texted(), "posted as recorded"},
		{"twilio_messages/request_create.txt", texted(), "sent as recorded"},
		{"twilio_messages/status_callback_delivered*", texted(), "delivered"},
		{"twilio_messages/status_callback_sent*", texted(), "sent"},
		{"twilio_messages/status_callback_undelivered*", texted(), "failed (unreachable 30003)"},
	}
}

// sendGridLanes are what SendGrid answers, and what it reports afterwards.
func sendGridLanes() []lane {
	return []lane{
		{"sendgrid/error_400*", sendGrid(), "refused (bad_request)"},
		{"sendgrid/error_401_invalid_grant*", sendGrid(), "retry (auth)"}, // nothing was sent, and the operator hears of it
		{"sendgrid/error_401_max_credits*", sendGrid(), "retry (quota)"},
		{"sendgrid/error_403*", sendGrid(), "retry (forbidden)"},
		{"sendgrid/error_413*", sendGrid(), "refused (too_large)"},
		{"sendgrid/error_429*", sendGrid(), "retry (rate_limited)"},
		{"sendgrid/error_500*", sendGrid(), "retry (server_error)"},
		{"sendgrid/request_*", said(forReading), forReading},
		{"sendgrid/response_*", said(forReading), forReading},
		{"sendgrid/vectors.json", eventsJudged(), "judged alike"},
		{"sendgrid/events_all_types*", happened(), "taken: 2 sent, 2 delivered, 2 failed, 1 bounced, 3 opted_out, 1 lifted"}, // its bounce does not say of which kind it is
		{"sendgrid/events_individual*", happened(), "taken: 2 sent, 2 delivered, 3 failed, 2 bounced, 3 opted_out, 1 lifted"},
		{"sendgrid/events_category_and_args*", happened(), "taken: 1 sent"}, // and opens, clicks, and what names no message
		{"sendgrid/events_custom_args*", happened(), "taken: 2 delivered"},  // its bounce names no message: it is another sender's
		{"sendgrid/event_bounce_blocked*", happened(), "taken: 1 failed"},
		{"sendgrid/event*", happened(), "taken"},
	}
}

// pushLanes are subscriptions, pushes and what services answer to them.
func pushLanes() []lane {
	return []lane{
		{"webpush/rfc8291_*", vectorOpened(), "read"},
		{"webpush/request_web_push_npm.json", requestOpened(), "read, signed"},
		{"webpush/request_webpush_go*", headersSigned(), "nobody can be asked"}, // at mailto:mailto:, which is what that client made of an address
		{"webpush/subscription*", subscribed(), "a subscription"},
		{"webpush/responses*", pushAnswered(), "201 sent, 404 refused (gone), 410 refused (gone), 413 refused (bad_request), 429 retry (rate_limited), " +
			"401 retry (auth), 403 refused (auth), 406 retry (rate_limited), 503 retry (provider), 500 retry (provider)"},
	}
}

// modelLanes are what models answer.
func modelLanes() []lane {
	return []lane{
		{"openai/error_400_context_length*", asked(), "no answer: too_long"},
		{"openai/error_400_vllm_style*", asked(), "no answer: too_long"},
		{"openai/error_400*", asked(), "no answer: bad_request"},
		{"openai/error_40[14]*", asked(), "no answer: misconfigured"},
		{"openai/error_429_insufficient_quota*", asked(), "no answer: quota"},
		{"openai/error_429*", asked(), "no answer: rate_limited"},
		{"openai/error_50*", asked(), "no answer: unavailable"},
		{"openai/response_content_filter*", asked(), "no answer: refused"},
		{"openai/response_refusal*", asked(), "no answer: refused"},
		{"openai/response_length_truncated*", asked(), "no answer: truncated"},
		{"openai/response_no_choices*", asked(), "no answer: bad_reply"},
		{"openai/response_*", asked(), "an answer"}, // whether it answers the question is judged where it was asked
		{"openai/stream_*", said("not used: answers are not streamed"), "not used"},
		{"openai/request_*", said(forReading), forReading},
	}
}

// withTranscript names the transcript that a page of results belongs to.
func withTranscript(body []byte) []byte {
	return append([]byte(`{"transcript":{"sid":"GTaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},`), body[1:]...)
}

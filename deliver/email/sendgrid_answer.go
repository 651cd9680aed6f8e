package email

import "encoding/json"

// answerFault is one entry of SendGrid's {"errors": [...]}.
type answerFault struct{ Message, Field string }

// faults reads an answer's errors leniently: field and help may be null or missing, and a gateway in between may have
// answered with a page of its own.
func faults(body []byte) []answerFault {
	var a struct {
		Errors []struct {
			Message string  `json:"message"`
			Field   *string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &a) != nil {
		return nil
	}
	out := make([]answerFault, 0, len(a.Errors))
	for _, e := range a.Errors {
		f := answerFault{Message: e.Message}
		if e.Field != nil {
			f.Field = *e.Field
		}
		out = append(out, f)
	}
	return out
}

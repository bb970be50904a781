package audit

// Blind makes the verifier look at no link, to show that the tests need it to.
func (v *Verifier) Blind() { v.blind = true }

// AppendPerson and AppendBody are the encodings that the hashes are made over.
func (l *Line) AppendPerson(b []byte) []byte { return l.appendPerson(b) }

// AppendBody is the rest of the line.
func (l *Line) AppendBody(b []byte) []byte { return l.appendBody(b) }

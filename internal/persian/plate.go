package persian

import "fmt"

// Plate is the registration of a vehicle: two digits, a letter, three digits and
// the two digits of the region, as on the plate from left to right.
type Plate struct{ masked[hidden] }

// ParsePlate takes the four parts. The letter may be spelled as a word where
// plates are read out so (alef, and the word for the disabled). It refuses with
// ErrDigits, ErrLength or, for the letter, ErrForm.
func ParsePlate(two, letter, three, region string) (Plate, error) {
	text, err := plate(two, letter, three, region)
	if err != nil {
		return Plate{}, fmt.Errorf("vehicle plate: %w", err)
	}
	return Plate{masked[hidden]{text}}, nil
}

// Two is the first two digits.
func (p Plate) Two() string { return p.part(0, 2) }

// Letter is the letter as plates show it: alef as a word, the others as one
// letter.
func (p Plate) Letter() string { return p.part(2, len(p.text)-5) }

// Three is the three digits after the letter.
func (p Plate) Three() string { return p.part(len(p.text)-5, len(p.text)-2) }

// Region is the two digits of the region.
func (p Plate) Region() string { return p.part(len(p.text)-2, len(p.text)) }

func (p Plate) part(from, to int) string {
	if p.IsZero() {
		return ""
	}
	return p.text[from:to]
}

func plate(two, letter, three, region string) (string, error) {
	first, err := number(two, 2, 2)
	if err != nil {
		return "", err
	}
	if len(letter) > maxTyped {
		return "", ErrForm
	}
	sign, ok := plateLetter[Key(letter)]
	if !ok {
		return "", ErrForm
	}
	second, err := number(three, 3, 3)
	if err != nil {
		return "", err
	}
	last, err := number(region, 2, 2)
	if err != nil {
		return "", err
	}
	return first + sign + second + last, nil
}

// plateLetter goes from the key of what is typed to what the plate shows. D and
// S are the diplomatic and service plates, zheh the plates of the disabled.
var plateLetter = map[string]string{
	"الف": "الف", "ا": "الف", "آ": "الف",
	"ب": "ب", "پ": "پ", "ت": "ت", "ث": "ث", "ج": "ج", "د": "د",
	"ز": "ز", "ژ": "ژ", "معلولین": "ژ", "س": "س", "ش": "ش", "ص": "ص",
	"ط": "ط", "ع": "ع", "ف": "ف", "ق": "ق", "ک": "ک", "گ": "گ",
	"ل": "ل", "م": "م", "ن": "ن", "و": "و", "ه": "ه", "ی": "ی",
	"d": "D", "s": "S",
}

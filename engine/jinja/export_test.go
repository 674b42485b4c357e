package jinja

// UndefinedLenient is how Jinja treats missing names unless it is told otherwise.
const UndefinedLenient = undefinedLenient

// Paths are the members and items that the template reads of its variables, as far as they are constants, in the order in which they stand.
func (t *Template) Paths() []Path { return t.paths }

// Keys returns the keys in order; the caller does not change them.
func (d *Dict) Keys() []Value { return d.keys }

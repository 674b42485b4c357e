package posix

// Lead implements objects.Volume, by a symbolic link. It is relative, so that it also leads there where the volume is mounted elsewhere.
func (f *Folder) Lead(name string) error {
	temporary := name + "." + f.writer + TemporarySuffix
	if err := f.beside.Symlink(f.name, temporary); err != nil {
		return err
	}
	if err := f.beside.Rename(temporary, name); err != nil {
		_ = f.beside.Remove(temporary)
		return err
	}
	return nil
}

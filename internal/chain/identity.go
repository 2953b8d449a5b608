package chain

// CheckIdentities checks of each stream that it is the one that it says it is,
// as [pagestream.ReaderAt.CheckIdentity] does.
func (c *Chain) CheckIdentities() error {
	for _, s := range c.Streams {
		if err := s.CheckIdentity(); err != nil {
			return &DamageError{s.Name, c.Top().Name, len(c.Streams) > 1, err}
		}
	}
	return nil
}

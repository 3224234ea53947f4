"""The link without I/O: frames, fragments, the opening of a session, sealed messages. See ../PROTOCOL.md."""

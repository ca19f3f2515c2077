# Hardware, one file a part.

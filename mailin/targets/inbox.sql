-- Just the message: it is in the tables messages, attachments and blobs before a target begins.
-- What a target can do besides stands in mailpipe-targets(7).

-- mailpipe: nothing

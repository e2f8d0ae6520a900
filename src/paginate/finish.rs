//! The finishers of requests, as generated code declares them: only where the operation has them, and with concrete
//! types, so that docs show those.

#![allow(
    unused_imports,
    unused_macros,
    reason = "a build of few operations needs few of them"
)]

/// Declares what a record of an operation is, and which member is its id.
macro_rules! keyed {
    ($marker:ident => $record:ty, $id:ident: $key:ty) => {
        impl $crate::paginate::distinct::Keyed for $marker {
            type Record = $record;
            type Key = $key;

            #[inline]
            #[allow(
                clippy::useless_conversion,
                clippy::clone_on_copy,
                reason = "it may be optional, or a text"
            )]
            fn key(record: &$record) -> Option<$key> {
                record.$id.clone().into()
            }
        }
    };
}
pub(crate) use keyed;

/// Finishers of an operation with numbered pages.
macro_rules! paged {
    ($marker:ident => $record:ty) => {
        impl $crate::Request<$marker> {
            /// Every page, all of one state of the data. A `page` that was set does not matter.
            ///
            /// The pages are fetched in parallel. Where the data changes meanwhile, pages of the old state are taken
            /// again as soon as ESI's rules allow.
            ///
            /// # Errors
            /// [`Error::SnapshotChanged`](crate::Error::SnapshotChanged) where that does not succeed within the
            /// client's `max_wait`, and what [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn all(self) -> $crate::paginate::Fetching<$crate::paginate::Snapshot<$record>> {
                $crate::paginate::all::all(self)
            }

            /// As [`all`](Self::all), and tells `progress` of each page that comes.
            ///
            /// # Errors
            /// As `all`.
            #[inline]
            pub fn all_with(
                self,
                progress: impl FnMut($crate::paginate::Progress) + Send + 'static,
            ) -> $crate::paginate::Fetching<$crate::paginate::Snapshot<$record>> {
                $crate::paginate::all::all_with(self, progress)
            }

            /// Every page, one after the other, with bounded memory. A `page` that was set does not matter.
            #[inline]
            pub fn pages(self) -> $crate::paginate::Pages<$record> {
                $crate::paginate::pages::pages(self)
            }
        }
    };
}
pub(crate) use paged;

/// Finishers of an operation with a cursor. `$list` is the member of the answer that holds the records, `$cursor` the
/// one that holds the tokens.
macro_rules! listed {
    ($marker:ident => $record:ty, $list:ident by $id:ident: $key:ty, $cursor:ident: $tokens:ty) => {
        $crate::paginate::finish::keyed! { $marker => $record, $id: $key }

        impl $crate::paginate::cursor::Listed for $marker {
            #[allow(clippy::useless_conversion, reason = "it may be optional, or not")]
            fn take(answer: <Self as $crate::Endpoint>::Output) -> $crate::paginate::cursor::Part<$record> {
                let records: Option<Vec<$record>> = answer.$list.into();
                let records = records.unwrap_or_default();
                let cursor: Option<$tokens> = answer.$cursor.into();
                match cursor {
                    Some(cursor) => $crate::paginate::cursor::Part {
                        records,
                        before: cursor.before.into(),
                        after: cursor.after.into(),
                    },
                    None => $crate::paginate::cursor::Part {
                        records,
                        before: None,
                        after: None,
                    },
                }
            }
        }

        impl $crate::Request<$marker> {
            /// The whole listing: every record once, and the cursor to ask for later changes with. A `before` or
            /// `after` that was set does not matter; `limit` is 100 unless it was set.
            ///
            /// # Errors
            /// As [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn all(self) -> $crate::paginate::Fetching<$crate::paginate::Listing<$record>> {
                $crate::paginate::cursor::all(self)
            }

            /// What is new or changed since the cursor was taken: every record once, as it is now, and the cursor to
            /// go on with.
            ///
            /// # Errors
            /// [`Error::Request`](crate::Error::Request) for a cursor of another operation,
            /// [`Error::CursorExpired`](crate::Error::CursorExpired) where ESI no longer remembers what was deleted
            /// since, and what [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn changes(
                self,
                cursor: &$crate::paginate::ListingCursor,
            ) -> $crate::paginate::Fetching<$crate::paginate::Listing<$record>> {
                $crate::paginate::cursor::changes(self, cursor)
            }
        }
    };
}
pub(crate) use listed;

/// The finisher of an operation that goes on from an id.
macro_rules! walked {
    ($marker:ident => $record:ty, $id:ident: $key:ty) => {
        $crate::paginate::finish::keyed! { $marker => $record, $id: $key }

        impl $crate::Request<$marker> {
            /// Every record once, from where the request stands until there are no more.
            ///
            /// # Errors
            /// As [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn all(self) -> $crate::paginate::Fetching<Vec<$record>> {
                $crate::paginate::walk::all(self)
            }
        }
    };
}
pub(crate) use walked;

/// The finisher of an operation that takes a bounded list and answers with a list.
macro_rules! bulk_list {
    ($marker:ident => $record:ty, $id:ident: $key:ty) => {
        $crate::paginate::finish::keyed! { $marker => $record, $id: $key }

        impl $crate::Request<$marker> {
            /// The answers to all entries of the body, however many there are, in their order. Each entry is sent
            /// once, and has one answer; ESI leaves some out.
            ///
            /// # Errors
            /// As [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn all(self) -> $crate::paginate::Fetching<Vec<$record>> {
                $crate::paginate::bulk::list(self)
            }
        }
    };
}
pub(crate) use bulk_list;

/// The finisher of an operation that takes a bounded list and answers with one value for all of it: an object of
/// lists, or a number to be summed.
macro_rules! bulk {
    ($marker:ident => $output:ident { $($list:ident),* $(,)? }) => {
        $crate::paginate::finish::bulk! {
            @ $marker => $output,
            $output { $($list: Default::default()),* },
            |into, more| { $($crate::paginate::bulk::Joined::join(&mut into.$list, more.$list);)* }
        }
    };
    ($marker:ident => $number:ident) => {
        $crate::paginate::finish::bulk! {
            @ $marker => $number,
            $number::default(),
            |into, more| *into += more
        }
    };
    (@ $marker:ident => $output:ident, $nothing:expr, |$into:ident, $more:ident| $join:expr) => {
        impl $crate::paginate::bulk::Bulk for $marker {
            fn nothing() -> $output {
                $nothing
            }

            fn join($into: &mut $output, $more: $output) {
                $join
            }
        }

        impl $crate::Request<$marker> {
            /// The answer to all entries of the body, however many there are. Each entry is sent once.
            ///
            /// # Errors
            /// As [`Request::send`](crate::Request::send) says.
            #[inline]
            pub fn all(self) -> $crate::paginate::Fetching<$output> {
                $crate::paginate::bulk::all(self)
            }
        }
    };
}
pub(crate) use bulk;

/// The finisher of an operation that refuses a whole list for one unknown id.
macro_rules! resolved {
    ($marker:ident => $record:ty) => {
        impl $crate::Request<$marker> {
            /// What is known of the ids in the body, and which of them are unknown.
            ///
            /// ESI refuses a whole list for one unknown id, so that lists are halved until it is found. That may
            /// cost 40 refusals, which count against the error limit; what is not told apart then is undecided.
            ///
            /// # Errors
            /// As [`Request::send`](crate::Request::send) says, but for the answer that an id is unknown.
            #[inline]
            pub fn resolve(self) -> $crate::paginate::Fetching<$crate::paginate::Resolved<$record>> {
                $crate::paginate::resolve::resolve(self, $crate::paginate::resolve::FAILURES)
            }

            /// As [`resolve`](Self::resolve), at the cost of `failures` refusals at most.
            ///
            /// # Errors
            /// As `resolve`.
            #[inline]
            pub fn resolve_within(
                self,
                failures: u32,
            ) -> $crate::paginate::Fetching<$crate::paginate::Resolved<$record>> {
                $crate::paginate::resolve::resolve(self, failures)
            }
        }
    };
}
pub(crate) use resolved;

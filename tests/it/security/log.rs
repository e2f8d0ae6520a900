//! What one thread logs, and the text of its panics.

use std::cell::RefCell;
use std::io::Write;
use std::sync::{Arc, Mutex, Once, OnceLock};

use esikit::Error;
use tracing::Dispatch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Notes what this thread logs at this level and above, by `tracing` and by `log`, until the guard is dropped.
    pub fn begin(&self, level: LevelFilter) -> tracing::subscriber::DefaultGuard {
        // For the whole process, once: it hands on to the thread's subscriber.
        let _ = tracing_log::LogTracer::init();
        // While there is one subscriber only, what another thread logs first is judged by that thread's, which is none,
        // and nobody hears of it again. With a second one, all are asked.
        static SECOND: OnceLock<Dispatch> = OnceLock::new();
        SECOND.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(self.clone())
            .with_ansi(false)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    /// Notes this thread's panics from now on.
    pub fn panics(&self) {
        static HOOK: Once = Once::new();
        // The hook is the process's, with all of its tests: it looks for the log of its own thread.
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                PANICS.with_borrow(|log| {
                    if let Some(log) = log {
                        log.add(format!("panic: {panic}"));
                    }
                });
                before(panic);
            }));
        });
        PANICS.set(Some(self.clone()));
    }

    /// Notes an error in every form it has, and its causes.
    pub fn show(&self, error: &Error) {
        self.add(format!("{error} {error:?} {error:#?}"));
        let mut cause = std::error::Error::source(error);
        while let Some(next) = cause {
            self.add(format!("{next} {next:?}"));
            cause = next.source();
        }
    }

    pub fn add(&self, text: impl AsRef<str>) {
        let mut bytes = self.0.lock().expect("no panic in it");
        bytes.extend_from_slice(text.as_ref().as_bytes());
        bytes.push(b'\n');
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic in it")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic in it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

thread_local! {
    static PANICS: RefCell<Option<Log>> = const { RefCell::new(None) };
}

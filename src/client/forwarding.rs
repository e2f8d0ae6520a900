//! What happens to tokens, told to those who listen to the client.

use crate::event::{Event, Listeners};
use crate::security::{EsiSecurity, SecurityEvent, Subscription};

/// A subscription that ends with the client.
pub(super) struct Forwarding(Option<Subscription>);

impl Forwarding {
    pub(super) fn new(security: Option<&EsiSecurity>, listeners: &Listeners) -> Self {
        let Some(security) = security.filter(|_| !listeners.is_empty()) else {
            return Self(None);
        };
        let listeners = listeners.clone();
        Self(Some(security.subscribe(move |event| match event {
            SecurityEvent::TokenUpdated { identity, .. } => {
                listeners.tell(&Event::TokenRefreshed { identity });
            }
            SecurityEvent::LoginDead { identity } => listeners.tell(&Event::TokenDead { identity }),
            _ => {}
        })))
    }
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        if let Some(subscription) = self.0.take() {
            subscription.unsubscribe();
        }
    }
}

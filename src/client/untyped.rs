//! A call by name, in untyped JSON.

use std::fmt::Display;

use serde::Serialize;

use super::call::{Call, Value};
use super::{Endpoint, Esi, Request};
use crate::error::{Error, UnknownOperation};
use crate::spec;

/// Marks requests whose answers stay untyped JSON.
pub enum Untyped {}

impl Endpoint for Untyped {
    type Output = serde_json::Value;
}

/// A call of an operation by its name. [`Esi::call`] begins one.
///
/// An answer that carries nothing is `null`. The client may be set to any compatibility date.
///
/// ```no_run
/// # async fn example(esi: esikit::Esi) -> Result<(), esikit::Error> {
/// let orders = esi.call("GetMarketsRegionIdOrders")?.param("region_id", 10000002).param("page", 2).send().await?;
/// println!("{}", orders[0]["price"]);
/// # Ok(())
/// # }
/// ```
pub type UntypedRequest = Request<Untyped>;

impl Request<Untyped> {
    /// Sets a path or query parameter. A name the operation does not have is an error when the call is sent.
    pub fn param(mut self, name: &str, value: impl Display) -> Self {
        self.call_mut().set_by_name(name, Value::One(value.to_string()));
        self
    }

    /// Sets a parameter that is a list. A name the operation does not have is an error when the call is sent.
    pub fn param_list(mut self, name: &str, values: impl IntoIterator<Item = impl Display>) -> Self {
        let values = values.into_iter().map(|value| value.to_string()).collect();
        self.call_mut().set_by_name(name, Value::List(values));
        self
    }

    /// Sets the body: a [`serde_json::Value`], or anything else that serialises.
    pub fn body(mut self, body: impl Serialize) -> Self {
        self.call_mut().set_body(serde_json::to_vec(&body));
        self
    }

    pub(super) fn by_name(esi: Esi, name: &str) -> Result<Self, Error> {
        let Some(operation) = spec::operation(name) else {
            let suggestions = spec::near(name);
            return Err(Error::UnknownOperation(Box::new(UnknownOperation {
                name: name.to_owned(),
                suggestions,
            })));
        };
        Ok(Self::new(esi, Call::untyped(operation)))
    }
}

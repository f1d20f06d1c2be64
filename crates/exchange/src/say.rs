//! What the core says in one call.

use ringbus::bus::{Emit, Kind, Origin, Payload, Source, Trigger, WriteError};

use crate::checksum::Checksum;
use crate::events::{Engine, Request};

/// Where the events of one request go, each with its origin, and all of them into a checksum.
pub(crate) struct Say<'a, E> {
    bus: &'a mut E,
    request: Option<Request>,
    pub(crate) checksum: Checksum,
}

impl<'a, E: Emit> Say<'a, E> {
    /// Says what `request` leads to; `None`: what nobody asked for. `checksum` is of what the block said before.
    pub(crate) fn on(bus: &'a mut E, request: Option<Request>, checksum: Checksum) -> Self {
        Self { bus, request, checksum }
    }

    /// An event of `engine` that follows from the request itself.
    #[inline]
    pub(crate) fn say<T: Payload>(&mut self, engine: Engine, event: &T) -> Result<(), WriteError> {
        self.say_after(Kind::new(0), engine, event)
    }

    /// An event of `engine` that follows from one of kind `cause`.
    #[inline]
    pub(crate) fn say_after<T: Payload>(
        &mut self,
        cause: Kind,
        engine: Engine,
        event: &T,
    ) -> Result<(), WriteError> {
        let origin = origin(engine, cause, self.request);
        self.checksum.add(origin, T::KIND, T::TOPIC, bytemuck::bytes_of(event));
        self.bus.emit(origin, event)
    }
}

/// Said by `engine`, in answer to `request`, because of an event of kind `cause`. (The kinds of the exchange are below
/// 256.)
pub(crate) fn origin(engine: Engine, cause: Kind, request: Option<Request>) -> Origin {
    let trigger = Trigger { kind: cause.get() as u8, reason: request.map_or(0, Request::get) };
    Origin::of(Source::new(engine.get())).because(trigger)
}

// SPDX-License-Identifier: Apache-2.0

import Apus

/// A message with how it came over the wire.
struct Arrival<Message: Sendable>: Sendable {
    let message: Message
    /// Whether its prefix said that it was compressed.
    let isCompressed: Bool
}

/// Messages of another codec that tell, when they arrive, whether they were compressed. To be sent they are the same.
enum ArrivalCodec<Base: MessageCodec>: MessageCodec {
    static func encode(_ arrival: Arrival<Base.Message>) throws(RPCError) -> MessageBytes {
        try Base.encode(arrival.message)
    }

    static func decode(_ bytes: MessageBytes) throws(RPCError) -> Arrival<Base.Message> {
        Arrival(message: try Base.decode(bytes), isCompressed: bytes.arrivedCompressed)
    }
}

extension Method {
    /// The same method, whose responses tell how they came.
    var tellingArrivals: Method<Request, ArrivalCodec<Response>> {
        Method<Request, ArrivalCodec<Response>>(
            service: descriptor.service, name: descriptor.name, kind: descriptor.kind,
            idempotency: descriptor.idempotency)
    }
}

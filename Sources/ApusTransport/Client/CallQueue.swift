// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// The calls of one loop that wait for an endpoint's connection, or for a stream on one: first come, first served.
///
/// Any of them leaves in constant time, so that calls that ended are not kept. Confined to its loop.
final class CallQueue {
    /// A call's place in a queue: its neighbours. Unowned and unsafe: the queue retains every call that is in it.
    struct Place {
        fileprivate var queue: CallQueue?
        fileprivate unowned(unsafe) var previous: ClientStream?
        fileprivate unowned(unsafe) var next: ClientStream?

        /// Whether there is a connection, and only its streams are all in use.
        var awaitsStream: Bool { queue?.awaitsStream == true }
    }

    private let handle: EndpointHandle
    // Valid: retained while in the queue.
    private unowned(unsafe) var last: ClientStream?
    private(set) unowned(unsafe) var first: ClientStream?
    private(set) var count = 0
    var awaitsStream = false

    /// - Parameter handle: is told how many calls wait.
    init(_ handle: EndpointHandle) { self.handle = handle }

    deinit { while let first { remove(first) } }

    var isEmpty: Bool { count == 0 }

    func append(_ stream: ClientStream) {
        // Given back in `remove`.
        _ = Unmanaged.passRetained(stream)
        stream.place.queue = self
        stream.place.previous = last
        stream.place.next = nil
        if let last { last.place.next = stream } else { first = stream }
        last = stream
        count += 1
        handle.callsWaitChanged(by: 1)
    }

    func popFirst() -> ClientStream? {
        guard let stream = first else { return nil }
        remove(stream)
        return stream
    }

    /// Takes out all calls that `condition` holds for, in their order.
    func takeAll(where condition: (ClientStream) -> Bool = { _ in true }) -> [ClientStream] {
        var taken: [ClientStream] = []
        var next = first
        while let stream = next {
            next = stream.place.next
            guard condition(stream) else { continue }
            taken.append(stream)
            remove(stream)
        }
        return taken
    }

    /// Takes a call out, if it is in a queue.
    static func remove(_ stream: ClientStream) { stream.place.queue?.remove(stream) }

    private func remove(_ stream: ClientStream) {
        let place = stream.place
        if let previous = place.previous { previous.place.next = place.next } else { first = place.next }
        if let next = place.next { next.place.previous = place.previous } else { last = place.previous }
        stream.place = Place()
        count -= 1
        handle.callsWaitChanged(by: -1)
        Unmanaged.passUnretained(stream).release()
    }
}

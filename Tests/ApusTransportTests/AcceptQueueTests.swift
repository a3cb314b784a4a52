// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import ApusTransport

/// A system whose answers a test has written down.
private final class ScriptedSystem {
    /// What the next accepts answer: a descriptor, or an `errno` below 0. Then nothing waits.
    var accepts: [Int32] = []
    /// What the next openings of the reserve answer; then 1000.
    var reserves: [Int32] = []
    private(set) var acceptCount = 0
    private(set) var closed: [Int32] = []
    private(set) var handedOver: [Int32] = []
    private(set) var notices: [AcceptQueue.Notice] = []

    var queue: AcceptQueue {
        AcceptQueue(
            .init(
                accept: { [self] in
                    acceptCount += 1
                    return (accepts.isEmpty ? -EAGAIN : accepts.removeFirst(), nil)
                },
                openReserve: { [self] in reserves.isEmpty ? 1000 : reserves.removeFirst() },
                close: { [self] in closed.append($0) }))
    }

    func drain(_ queue: inout AcceptQueue) -> AcceptQueue.Verdict {
        queue.drain { descriptor, _ in
            handedOver.append(descriptor)
        } _: {
            notices.append($0)
        }
    }
}

/// What a listener does about every answer of the system.
@Suite struct AcceptQueueTests {
    private let system = ScriptedSystem()

    @Test func `everything that waits is accepted`() {
        system.accepts = [5, 6, 7]
        var queue = system.queue
        #expect(system.drain(&queue) == .wait)
        #expect(system.handedOver == [5, 6, 7] && system.notices.isEmpty)
    }

    @Test func `other sockets get their turn after a batch`() {
        system.accepts = Array(5..<1000)
        var queue = system.queue
        #expect(system.drain(&queue) == .wait)
        #expect(system.acceptCount == AcceptQueue.batch)
        #expect(system.drain(&queue) == .wait)
        #expect(system.acceptCount == 2 * AcceptQueue.batch)
    }

    @Test(arguments: [ECONNABORTED, EINTR, EPROTO, EPERM, ECONNRESET, ENETDOWN])
    func `a connection that was lost while it waited does not hide the next`(_ code: Int32) {
        system.accepts = [-code, 5]
        var queue = system.queue
        #expect(system.drain(&queue) == .wait)
        #expect(system.handedOver == [5])
    }

    @Test(arguments: [EMFILE, ENFILE])
    func `without descriptors what waits is closed with the reserve's help, and told once`(_ code: Int32) {
        system.accepts = [-code, 5, -code, 6, -code, -EAGAIN]
        var queue = system.queue
        #expect(system.drain(&queue) == .wait)
        #expect(system.handedOver.isEmpty)
        // Each time the reserve, then the connection; at last the reserve alone: nothing waited.
        #expect(system.closed == [1000, 5, 1000, 6, 1000])
        #expect(system.notices == [.outOfDescriptors])

        system.accepts = [7]
        #expect(system.drain(&queue) == .wait)
        #expect(system.handedOver == [7])
        #expect(system.notices == [.outOfDescriptors, .recovered(refused: 2)])
    }

    @Test func `a reserve that another thread took makes the listener pause`() {
        system.accepts = [-EMFILE, -EMFILE]
        system.reserves = [1000, -EMFILE]
        var queue = system.queue
        #expect(system.drain(&queue) == .pause(AcceptQueue.pause))
        #expect(system.acceptCount == 2)
        // Still none: one look, and the next pause.
        system.accepts = [-EMFILE]
        system.reserves = [-EMFILE]
        #expect(system.drain(&queue) == .pause(AcceptQueue.pause))
        #expect(system.acceptCount == 3)
        // There is a reserve again, and then a descriptor.
        system.accepts = [-EMFILE, 5, 6]
        #expect(system.drain(&queue) == .wait)
        #expect(system.handedOver == [6] && system.closed == [1000, 1000, 5])
        #expect(system.notices == [.outOfDescriptors, .recovered(refused: 1)])
    }

    @Test(arguments: [ENOMEM, ENOBUFS, EINVAL, EBADF])
    func `a listener that cannot accept at all pauses`(_ code: Int32) {
        system.accepts = [-code, 5]
        var queue = system.queue
        #expect(system.drain(&queue) == .pause(AcceptQueue.pause))
        #expect(system.acceptCount == 1)
    }

    @Test func `a closed queue gives its reserve back`() {
        var queue = system.queue
        queue.close()
        queue.close()
        #expect(system.closed == [1000])
    }
}

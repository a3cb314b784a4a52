// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv

/// Gives the memory of connections that have closed back to the system. Confined to its loop.
///
/// glibc keeps freed memory for the process, but for what lies at a heap's very end: when 10,000 connections had
/// closed, 180 of 180 MiB stayed resident, and 19 were in use. Looking through the heaps takes a while, so it happens
/// on a thread of libuv's pool, after many connections, and once no more of them close.
final class MemoryReturn {
    private unowned let loop: UVLoop
    private var closed = 0
    private var closedBefore = 0
    private var looks = 0
    private lazy var timer = LoopTimer { [unowned self] in self.look() }

    // The memory of fewer connections is soon used again.
    private static let worthwhile = 500
    private static let pause = Duration.seconds(1)
    // In a flood that does not end memory goes back nevertheless.
    private static let maximumLooks = 10

    init(_ loop: UVLoop) { self.loop = loop }

    /// Keeps glibc from giving back 128 KiB at a heap's end each time that a few messages of 64 KiB are done with: the
    /// faults of the pages' coming back cost more than the messages. It learns from the largest block that was freed;
    /// with one of 1 MiB it keeps up to 2 MiB. Who has set thresholds by `mallopt` keeps them.
    static let keepsLargeBlocks: Void = {
        UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 16).deallocate()
    }()

    /// A connection of the loop has closed.
    func connectionClosed() {
        closed += 1
        if closed == Self.worthwhile { lookLater() }
    }

    private func lookLater() { loop.schedule(timer, at: loop.now.advanced(by: Self.pause)) }

    private func look() {
        looks += 1
        guard closed == closedBefore || looks == Self.maximumLooks else {
            closedBefore = closed
            return lookLater()
        }
        (closed, closedBefore, looks) = (0, 0, 0)
        giveBack()
    }

    private func giveBack() {
        loop.trimMemory()
        let request = UnsafeMutablePointer<uv_work_t>.allocate(capacity: 1)
        let result = uv_queue_work(
            loop.handle, request, { _ in apus_return_memory() }, { request, _ in request?.deallocate() })
        if result < 0 { request.deallocate() }
    }
}

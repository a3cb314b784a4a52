// SPDX-License-Identifier: Apache-2.0

import ApusCore
import CLibuv
import Synchronization

/// SIGTERM and SIGINT as something to wait for. While one of these lives, the signals do not end the process.
final class StopSignals: Sendable {
    private typealias Waiter = UnsafeContinuation<Void, Never>

    private struct State {
        var hasFired = false
        var waiters: [Waiter] = []
        var handles: [SignalHandle] = []
    }

    private let loop: UVLoop
    private let state = Mutex(State())

    init() throws(RPCError) {
        loop = try EventLoops.shared().loops[0]
        loop.perform { [weak self, loop] in
            for number in [SIGTERM, SIGINT] {
                let handle = SignalHandle(number, loop) { [weak self] in self?.fire() }
                self?.state.withLock { $0.handles.append(handle) }
            }
        }
    }

    deinit {
        let handles = state.withLock { $0.handles }
        loop.execute { for handle in handles { handle.close() } }
    }

    /// Returns at the first signal, or when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { waiter in
                let fired = state.withLock { state in
                    if !state.hasFired { state.waiters.append(waiter) }
                    return state.hasFired
                }
                if fired { waiter.resume() }
            }
        } onCancel: {
            fire()
        }
    }

    private func fire() {
        let waiters = state.withLock { state in
            state.hasFired = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}

/// One signal on one loop. Sendable: used on its loop alone.
private final class SignalHandle: @unchecked Sendable {
    private let handle = UnsafeMutablePointer<uv_signal_t>.allocate(capacity: 1)
    private let action: () -> Void

    init(_ number: Int32, _ loop: UVLoop, _ action: @escaping () -> Void) {
        self.action = action
        uv_signal_init(loop.handle, handle)
        // C owns this retain until the close callback.
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        uv_signal_start(handle, uvSignal, number)
    }

    func fire() { action() }

    func close() {
        let plain = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self)
        uv_close(plain) { handle in
            guard let handle, let data = handle.pointee.data else { return }
            UnsafeMutableRawPointer(handle).deallocate()
            Unmanaged<SignalHandle>.fromOpaque(data).release()
        }
    }
}

private func uvSignal(_ handle: UnsafeMutablePointer<uv_signal_t>?, _: Int32) {
    guard let data = handle?.pointee.data else { return }
    Unmanaged<SignalHandle>.fromOpaque(data).takeUnretainedValue().fire()
}

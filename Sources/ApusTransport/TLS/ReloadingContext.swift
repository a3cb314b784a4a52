// SPDX-License-Identifier: Apache-2.0

import ApusCore
import Synchronization

/// The context that new connections use; it is made anew when the files that it came from have changed.
///
/// Contents are compared, not dates: they are small, and a swapped link or a restored date deceives nobody.
final class ReloadingContext: Sendable {
    typealias Read = @Sendable () throws(RPCError) -> TLSMaterial
    typealias Make = @Sendable (TLSMaterial, _ previous: TLSContext?) throws(RPCError) -> TLSContext

    private struct State {
        var context: TLSContext
        // What was tried last, whether it could be used or not.
        var material: TLSMaterial
        var readFailure: String?
        var checked: MonotonicInstant?
    }

    private let state: Mutex<State>
    private let interval: Duration
    private let hasFiles: Bool
    private let read: Read
    private let make: Make
    private let report: (@Sendable (TLSEvent) -> Void)?

    /// - Throws: INVALID_ARGUMENT for material that cannot be used.
    init(
        hasFiles: Bool, interval: Duration, report: (@Sendable (TLSEvent) -> Void)?, read: @escaping Read,
        make: @escaping Make
    ) throws(RPCError) {
        let material = try read()
        state = Mutex(State(context: try make(material, nil), material: material))
        self.hasFiles = hasFiles
        self.interval = interval
        self.report = report
        self.read = read
        self.make = make
    }

    /// The present context, after a look at the files when the last one is long enough ago.
    func current(now: MonotonicInstant) -> TLSContext {
        guard hasFiles else { return state.withLock { $0.context } }
        let (context, event) = state.withLock { state -> (TLSContext, TLSEvent?) in
            guard let checked = state.checked else {
                state.checked = now
                return (state.context, nil)
            }
            guard checked.advanced(by: interval) <= now else { return (state.context, nil) }
            state.checked = now
            let event = reload(&state)
            return (state.context, event)
        }
        if let event { report?(event) }
        return context
    }

    // What is bad is told once and tried again when it has changed.
    private func reload(_ state: inout State) -> TLSEvent? {
        do throws(RPCError) {
            let material = try read()
            state.readFailure = nil
            guard material != state.material else { return nil }
            state.material = material
            state.context = try make(material, state.context)
            return .reloaded
        } catch {
            guard state.readFailure != error.message else { return nil }
            state.readFailure = error.message
            return .reloadFailed(reason: error.message)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// An instance's place in a registry. Releasing it changes nothing: only ``leave()`` ends it.
public final class Registration: Sendable {
    private let leaveAction: Mutex<(@Sendable () async -> Void)?>

    /// A registration that `leave` ends.
    public init(leave: @escaping @Sendable () async -> Void) { leaveAction = Mutex(leave) }

    /// Takes the instance out of the registry, so that clients stop calling it. Only the first call does something.
    public func leave() async {
        let action = leaveAction.withLock { $0.take() }
        await action?()
    }
}

/// A client's interest in a service. Released or cancelled, it ends.
public final class RegistryWatch: Sendable {
    private let refreshAction: @Sendable () -> Void
    private let cancelAction: Mutex<(@Sendable () -> Void)?>

    /// A watch that `cancel` ends.
    public convenience init(cancel: @escaping @Sendable () -> Void) { self.init(refresh: {}, cancel: cancel) }

    /// A watch over something that is looked at now and then.
    ///
    /// - Parameters:
    ///   - refresh: called for each ``refresh()``, from any thread and at any rate: it returns at once.
    ///   - cancel: called once when the watch ends.
    public init(refresh: @escaping @Sendable () -> Void, cancel: @escaping @Sendable () -> Void) {
        refreshAction = refresh
        cancelAction = Mutex(cancel)
    }

    deinit { cancel() }

    /// Says that the endpoints of the last list cannot be reached: the registry looks again soon, if it does not hear of
    /// changes anyway.
    public func refresh() { refreshAction() }

    /// Ends the watch: no update begins any more; one may be running. Safe to call more than once.
    public func cancel() {
        let action = cancelAction.withLock { $0.take() }
        action?()
    }
}

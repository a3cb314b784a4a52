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
    private let cancelAction: Mutex<(@Sendable () -> Void)?>

    /// A watch that `cancel` ends.
    public init(cancel: @escaping @Sendable () -> Void) { cancelAction = Mutex(cancel) }

    deinit { cancel() }

    /// Ends the watch: no update begins any more; one may be running. Safe to call more than once.
    public func cancel() {
        let action = cancelAction.withLock { $0.take() }
        action?()
    }
}

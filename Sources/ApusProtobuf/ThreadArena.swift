// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Every thread keeps one arena, freed when the thread ends. Coding a message never suspends, so an arena that was
// taken is given back on the same thread.
extension Arena {
    #if canImport(Darwin)
        private typealias ThreadValue = UnsafeMutableRawPointer
    #else
        private typealias ThreadValue = UnsafeMutableRawPointer?
    #endif

    // nil when the process has run out of keys: every message then gets an arena of its own.
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        let made = pthread_key_create(&key) { (value: ThreadValue) in
            let state: UnsafeMutableRawPointer? = value
            guard let state else { return }
            Arena(state: state.assumingMemoryBound(to: State.self)).free()
        }
        return made == 0 ? key : nil
    }()

    /// At most max(64 MiB, 32 × the bytes) of memory for a message that came in.
    @usableFromInline
    static func decodeBudget(for byteCount: Int) -> Int { max(64 << 20, 32 &* byteCount) }

    /// The thread's arena, or a new one while that is in use.
    @usableFromInline
    static func take(budget: Int) -> Arena {
        let arena = free(of: key) ?? Arena(isTemporary: true)
        arena.state.pointee.isTaken = true
        arena.state.pointee.budget = budget
        return arena
    }

    @usableFromInline
    func giveBack() {
        guard !state.pointee.isTemporary else { return free() }
        reset()
        state.pointee.isTaken = false
    }

    private static func free(of key: pthread_key_t?) -> Arena? {
        guard let key else { return nil }
        if let known = pthread_getspecific(key) {
            let arena = Arena(state: known.assumingMemoryBound(to: State.self))
            return arena.state.pointee.isTaken ? nil : arena
        }
        let arena = Arena(isTemporary: false)
        guard pthread_setspecific(key, UnsafeMutableRawPointer(arena.state)) == 0 else {
            arena.free()
            return nil
        }
        return arena
    }
}

// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
    #if canImport(Musl)
        import Musl
    #else
        import Glibc
    #endif

    /// Tells when something in a folder changes, by inotify. Confined to its owner.
    ///
    /// It does not listen for changed times: a heartbeat wakes nobody. Source: inotify(7).
    final class FolderEvents {
        enum Event: Equatable {
            /// A name in the watched folder came, went, or has other contents.
            case changed(folder: Int32, name: String)
            /// The watched folder itself went: its watch is over.
            case gone(folder: Int32)
            /// Events were lost: anything may have changed.
            case lost
        }

        private static let wanted = UInt32(
            IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)
        private static let headerSize = 16

        let descriptor: Int32

        /// No folder is watched yet. Nil when the system has no more of them.
        init?() {
            descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
            guard descriptor >= 0 else { return nil }
        }

        deinit { close(descriptor) }

        /// Watches a folder; one that is watched already keeps its number.
        func watch(_ path: String) throws(FileError) -> Int32 {
            let number = inotify_add_watch(descriptor, path, Self.wanted | UInt32(IN_ONLYDIR))
            guard number >= 0 else { throw FileError("watch the folder", path) }
            return number
        }

        func unwatch(_ number: Int32) { inotify_rm_watch(descriptor, number) }

        /// The events that have arrived; never waits.
        func take() -> [Event] {
            var events: [Event] = []
            var buffer = [UInt8](repeating: 0, count: 16 * 1024)
            while true {
                let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { return events }
                buffer.withUnsafeBytes { Self.parse($0.prefix(count), into: &events) }
            }
        }

        private static func parse(_ bytes: Slice<UnsafeRawBufferPointer>, into events: inout [Event]) {
            var rest = bytes
            while rest.count >= headerSize {
                let raw = UnsafeRawBufferPointer(rebasing: rest)
                let folder = raw.loadUnaligned(as: Int32.self)
                let mask = raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
                let length = Int(raw.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
                let name = raw.dropFirst(headerSize).prefix(length).prefix { $0 != 0 }
                if let event = event(folder, mask, String(decoding: name, as: UTF8.self)) { events.append(event) }
                rest = rest.dropFirst(headerSize + length)
            }
        }

        private static func event(_ folder: Int32, _ mask: UInt32, _ name: String) -> Event? {
            if mask & UInt32(IN_Q_OVERFLOW) != 0 { return .lost }
            if mask & UInt32(IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF) != 0 { return .gone(folder: folder) }
            return name.isEmpty ? nil : .changed(folder: folder, name: name)
        }
    }
#else
    /// Elsewhere there are no events: whoever wants them finds none and looks at the folder from time to time.
    final class FolderEvents {
        enum Event: Equatable {
            case changed(folder: Int32, name: String)
            case gone(folder: Int32)
            case lost
        }

        let descriptor: Int32

        init?() { return nil }

        func watch(_ path: String) throws(FileError) -> Int32 { throw FileError("watch the folder", path) }

        func unwatch(_ number: Int32) {}

        func take() -> [Event] { [] }
    }
#endif

// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Waits until one of the descriptors can be read, or the time is up; a negative descriptor is left out.
func waitForInput(_ descriptors: [Int32], milliseconds: Int32) {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    _ = poll(&polled, nfds_t(polled.count), milliseconds)
}

/// Starts a detached thread; tells whether there could be one.
func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    // Retained for the thread, which releases it; released here when there is no thread.
    let context = Unmanaged.passRetained(Body(body))
    #if canImport(Darwin)
        var thread: pthread_t?
        let failure = pthread_create(
            &thread, nil,
            { raw in
                Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        if failure == 0, let thread { pthread_detach(thread) }
    #else
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { raw in
                if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, context.toOpaque())
        if failure == 0 { pthread_detach(thread) }
    #endif
    if failure != 0 { context.release() }
    return failure == 0
}

/// Names the calling thread in process lists; at most 15 characters. Without effect elsewhere than on Linux.
func nameThread(_ name: String) {
    // pthread_setname_np is a GNU extension, which Swift's C library module leaves out.
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var bytes = Array(name.utf8)
    _ = write(descriptor, &bytes, bytes.count)
}

func processID() -> Int32 { getpid() }

/// Writes one line for the operator.
func standardError(_ line: String) {
    var bytes = Array((line + "\n").utf8)
    _ = write(2, &bytes, bytes.count)
}

// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ApusTransport

/// What control groups leave a process.
@Suite struct MemoryLimitTests {
    private func limit(_ files: [String: String]) -> UInt64? { MemoryLimit.ofGroups { files[$0] } }

    @Test func `the least limit holds, of the group or of one above it`() {
        var files = [
            "/proc/self/cgroup": "0::/system.slice/server.service\n",
            "/sys/fs/cgroup/system.slice/server.service/memory.max": "268435456\n",
            "/sys/fs/cgroup/system.slice/memory.max": "max\n",
        ]
        #expect(limit(files) == 268_435_456)
        files["/sys/fs/cgroup/system.slice/memory.max"] = "134217728\n"
        #expect(limit(files) == 134_217_728)
    }

    // In a container with a namespace of its own.
    @Test func `the root of a namespace has a limit, too`() {
        let files = ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "67108864\n"]
        #expect(limit(files) == 67_108_864)
    }

    @Test func `without a limit there is none`() {
        #expect(limit([:]) == nil)
        #expect(limit(["/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "max\n"]) == nil)
        #expect(limit(["/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/memory.max": "rubbish"]) == nil)
        // Version 1: libuv knows it.
        #expect(limit(["/proc/self/cgroup": "4:memory:/a\n", "/sys/fs/cgroup/memory.max": "1\n"]) == nil)
        #expect(limit(["/proc/self/cgroup": "4:memory:/b\n0::/a\n", "/sys/fs/cgroup/a/memory.max": "5\n"]) == 5)
    }
}

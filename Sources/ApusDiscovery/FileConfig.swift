// SPDX-License-Identifier: Apache-2.0

public import ApusCore

/// A configuration document in a file, looked at on an interval.
///
/// Put a new version in place with a rename, so that no half of it is read; a half that was read is refused, and the
/// whole is read at the next look. A symbolic link stands for its target, so that a new version may also be put in place
/// by turning a link on the way, as Kubernetes does with its config maps.
public struct FileConfig: ConfigSource {
    /// The largest document, in bytes.
    public static let maximumBytes = 256 * 1024

    /// The file's path.
    public let name: String
    private let interval: Duration
    private let clock: any MonotonicClock

    /// The document in a file, which need not exist yet.
    ///
    /// - Parameter interval: the time between two looks, at least 10 ms.
    public init(_ path: String, every interval: Duration = .seconds(1), clock: any MonotonicClock = SystemClock()) {
        name = path
        self.interval = max(interval, .milliseconds(10))
        self.clock = clock
    }

    /// The file's bytes now, and after each change. That it cannot be read is told once for each reason.
    public func documents() -> AsyncStream<Result<[UInt8], RPCError>> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Result<[UInt8], RPCError>.self, bufferingPolicy: .bufferingNewest(configBacklog))
        let task = Task {
            var watched = WatchedFile(path: name)
            while !Task.isCancelled {
                if let news = watched.look() { continuation.yield(news) }
                do { try await clock.sleep(until: clock.now.advanced(by: interval)) } catch { break }
            }
            continuation.finish()
        }
        continuation.onTermination = { _ in task.cancel() }
        return stream
    }
}

/// A file with what was seen of it last.
struct WatchedFile {
    let path: String
    private var stamp: FileStamp?
    private var failure: FileError?

    init(path: String) { self.path = path }

    /// The file's bytes, or why it cannot be read; nil when that is no news.
    mutating func look() -> Result<[UInt8], RPCError>? {
        do throws(FileError) {
            // The stamp first: what is written after it shows at the next look.
            let stamp = try Files.stamp(of: path, following: true)
            if failure == nil, stamp == self.stamp { return nil }
            let bytes = try Files.read(path, limit: FileConfig.maximumBytes, following: true)
            (self.stamp, failure) = (stamp, nil)
            return .success(bytes)
        } catch {
            defer { failure = error }
            if let failure, failure.isLike(error) { return nil }
            return .failure(RPCError(.unavailable, "\(error)"))
        }
    }
}

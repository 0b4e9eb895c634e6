package dev.sortie.nn.hub;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Answers of the hub, for tests that damage them. */
public final class HubCorpus {
  private static final String LISTING =
      """
      {"id":"acme/tiny-1.0","sha":"0123456789abcdef0123456789abcdef01234567","gated":false,
       "siblings":[{"rfilename":"config.json","size":23,"blobId":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"rfilename":"sub/x.gguf","size":1000,"blobId":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
         "lfs":{"sha256":"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc","size":1000,"pointerSize":134}},
        {"rfilename":"model.safetensors"}],"cardData":{"tags":["a",1,null,{"b":[]}]}}
      """;

  private HubCorpus() {}

  /** Listings of a repository. */
  public static List<byte[]> listings() {
    return List.of(LISTING.getBytes(StandardCharsets.UTF_8));
  }

  /** Reads a listing and chooses files of it. */
  public static void read(byte[] listing) {
    RepoListing l =
        RepoListing.parse(FakeHub.REPO, "the listing", new String(listing, StandardCharsets.UTF_8));
    for (RemoteFile file : FileSelection.choose(l, new FileChoice.Runnable())) {
      RemotePath.require("file name", file.path());
    }
  }
}

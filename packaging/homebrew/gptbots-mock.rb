# `packaging/collect` replaces the placeholders between @ for each release.
class GptbotsMock < Formula
  desc "Local emulator of the GPTBots conversation-history API"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/gptbots-mock-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@aarch64-apple-darwin@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/gptbots-mock-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/gptbots-mock-@VERSION@-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@aarch64-unknown-linux-gnu@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/gptbots-mock-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@x86_64-unknown-linux-gnu@"
    end
  end

  def install
    bin.install "gptbots-mock"
    man1.install "man/gptbots-mock.1"
    bash_completion.install "completions/gptbots-mock"
    zsh_completion.install "completions/_gptbots-mock"
    fish_completion.install "completions/gptbots-mock.fish"
  end

  test do
    assert_equal "gptbots-mock #{version}", shell_output("#{bin}/gptbots-mock --version").strip
    system bin/"gptbots-mock", "exec", "--", bin/"gptbots-mock", "--version"
  end
end

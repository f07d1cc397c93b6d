#include "ec2/paging.h"

#include <gtest/gtest.h>

#include "support.h"

namespace icelab::test {
namespace {

json numbers(int count) {
  json out = json::array();
  for (int i = 0; i < count; ++i) out.push_back(i);
  return out;
}

// Follows the tokens; returns all items and counts the pages and the empty ones among them.
json walk(const Lab& lab, const json& all, std::size_t size, int& pages, int& empty) {
  json out = json::array();
  std::string token;
  pages = empty = 0;
  do {
    const Page page = cut_page(lab, all, {"query", token, size, false});
    EXPECT_TRUE(page.valid);
    out.insert(out.end(), page.items.begin(), page.items.end());
    ++pages;
    if (page.items.empty()) ++empty;
    token = page.next_token;
  } while (!token.empty() && pages < 100);
  return out;
}

TEST(Paging, GivesEverythingOnceInOrder) {
  TestLab lab;
  int pages = 0;
  int empty = 0;
  EXPECT_EQ(walk(*lab.lab, numbers(12), 5, pages, empty), numbers(12));
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(empty, 0);
  EXPECT_EQ(walk(*lab.lab, numbers(10), 5, pages, empty), numbers(10));
  EXPECT_EQ(pages, 2);  // no token after the last full page
  EXPECT_EQ(walk(*lab.lab, numbers(10), 0, pages, empty), numbers(10));
  EXPECT_EQ(pages, 1);
}

TEST(Paging, SmallPagesAndEmptyOnesOnRequest) {
  LabOptions options;
  options.page_size = 2;
  options.empty_pages = true;
  TestLab lab(options);
  int pages = 0;
  int empty = 0;
  EXPECT_EQ(walk(*lab.lab, numbers(5), 0, pages, empty), numbers(5));
  EXPECT_EQ(pages, 6);
  EXPECT_EQ(empty, 3);
}

TEST(Paging, WhatIsAskedForByIdComesWhole) {
  LabOptions options;
  options.page_size = 2;
  options.empty_pages = true;
  TestLab lab(options);
  const Page page = cut_page(*lab.lab, numbers(5), {"query", "", 0, true});
  EXPECT_EQ(page.items, numbers(5));
  EXPECT_EQ(page.next_token, "");
}

TEST(Paging, ATokenIsGoodForItsQueryOnly) {
  TestLab lab;
  const Page first = cut_page(*lab.lab, numbers(12), {"query", "", 5, false});
  EXPECT_FALSE(cut_page(*lab.lab, numbers(12), {"another", first.next_token, 5, false}).valid);
  EXPECT_FALSE(cut_page(*lab.lab, numbers(12), {"query", "Zm9yZ2Vk", 5, false}).valid);
  EXPECT_FALSE(cut_page(*lab.lab, numbers(12), {"query", "not base64!", 5, false}).valid);
  EXPECT_NE(first.next_token, cut_page(*lab.lab, numbers(12), {"query", "", 5, false}).next_token);
}

TEST(Paging, Ec2RefusesABadTokenAndASmallPage) {
  TestLab lab;
  EXPECT_EQ(element(lab.ec2("Action=DescribeVolumes&NextToken=Zm9v").body, "Code"), "InvalidNextToken");
  EXPECT_EQ(element(lab.ec2("Action=DescribeVolumes&MaxResults=4").body, "Code"), "InvalidParameterValue");
  EXPECT_EQ(element(lab.ec2(std::string("Action=DescribeVolumes&MaxResults=5&VolumeId.1=") + kVolume).body, "Code"), "InvalidParameterCombination");
}

}  // namespace
}  // namespace icelab::test
